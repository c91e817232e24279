"use strict";
// The comparison table: sorts by a click or key on a column's head, filters by words, says how many lines are shown.
(() => {
  const table = document.getElementById("comparison-table");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[1].cells];
  const lines = [...body.rows];
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");

  const key = (line, column) => {
    const value = line.cells[column].dataset.sort;
    return value === "" ? null : Number.isNaN(Number(value)) ? value : Number(value);
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

  const sort = (column, direction) => {
    const sign = direction === "ascending" ? 1 : -1;
    const sorted = [...lines].sort((a, b) => {
      const [left, right] = [key(a, column), key(b, column)];
      if (left === null || right === null) return (left === null) - (right === null); // empty ones last, either way
      return sign * compare(left, right);
    });
    body.append(...sorted);
    heads.forEach((head, k) => head.setAttribute("aria-sort", k === column ? direction : "none"));
  };

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const words = column < 2;
      const first = words ? "ascending" : "descending";
      const other = words ? "descending" : "ascending";
      sort(column, head.getAttribute("aria-sort") === first ? other : first);
    });
  });

  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const line of lines) {
      const match = words.every((word) => line.dataset.words.includes(word));
      line.hidden = !match;
      count += match;
    }
    shown.textContent = `${count} of ${lines.length} shown`;
  });
})();
