"use strict";
// Tables sort by a click or key on a column's head; the comparison filters by words, the gallery by truth.
(() => {
  const key = (line, column) => {
    const value = line.cells[column].dataset.sort;
    return value === "" ? null : Number.isNaN(Number(value)) ? value : Number(value);
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));

  const makeSortable = (table) => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.querySelector(".heads").cells];
    const lines = [...body.rows];
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
        const [first, other] = head.classList.contains("words") ? ["ascending", "descending"] : ["descending", "ascending"];
        sort(column, head.getAttribute("aria-sort") === first ? other : first);
      });
    });
  };
  document.querySelectorAll("table.sortable").forEach(makeSortable);

  const table = document.getElementById("comparison-table");
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const lines = [...table.tBodies[0].rows];
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

  const filters = [...document.querySelectorAll(".filters button")];
  const cards = [...document.querySelectorAll("#cards > li")];
  filters.forEach((filter) => {
    filter.addEventListener("click", () => {
      filters.forEach((one) => one.setAttribute("aria-pressed", String(one === filter)));
      const wanted = filter.dataset.show;
      cards.forEach((card) => { card.hidden = wanted !== "all" && !card.classList.contains(wanted); });
      const count = cards.filter((card) => !card.hidden).length;
      document.getElementById("gallery-shown").textContent = `${count} of ${cards.length} shown`;
    });
  });

  // A box that has nothing to scroll is no stop of the Tab key.
  const boxes = [...document.querySelectorAll(".scroll")];
  const stopWhereItScrolls = () => boxes.forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
  new ResizeObserver(stopWhereItScrolls).observe(document.body);
  stopWhereItScrolls();
})();
