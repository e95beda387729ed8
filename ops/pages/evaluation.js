"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (query, within = document) => within.querySelector(query);
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  const shown = (value) => (value === null ? "–" : value.toFixed(3));
  const box = data.box;
  const at = (point) => [box.left + point[1] * box.width, box.top + (1 - point[0]) * box.height];
  const drawable = (curve) => curve.filter((point) => point[0] !== null && point[1] !== null);

  all("[data-needs-script]").forEach((element) => { element.hidden = false; });

  // The threshold: figures, the point on the curve, and every label's row.
  const slider = find("#threshold");
  const place = (dot, point) => {
    const known = point[0] !== null && point[1] !== null;
    dot.toggleAttribute("hidden", !known);
    if (known) { const [x, y] = at(point); dot.setAttribute("cx", x); dot.setAttribute("cy", y); }
  };
  let chosen = null;
  const move = () => {
    const step = Number(slider.value);
    const threshold = data.thresholds[step].toFixed(2);
    find("#threshold-shown").textContent = threshold;
    slider.setAttribute("aria-valuetext", threshold);
    ["precision", "recall", "f1"].forEach((key, column) => {
      find(`#at-${key}`).textContent = shown(data.overall[step][column]);
    });
    place(find("#dot"), data.overall[step]);
    if (chosen !== null) place(find("#dot-label"), data.labels[chosen].curve[step]);
    all("#labels tbody tr").forEach((row) => {
      const values = data.labels[Number(row.dataset.label)].curve[step];
      ["precision", "recall", "f1"].forEach((key, column) => {
        const cell = find(`[data-key=${key}]`, row);
        cell.textContent = shown(values[column]);
        cell.dataset.value = values[column] === null ? "" : values[column];
      });
      find("rect", row).setAttribute("width", 100 * (values[2] || 0));
    });
  };
  if (slider) slider.addEventListener("input", move);

  // Pictures: copies of those in the page, so that each is in the file once.
  const figures = all("#pictures figure");
  const has = (list, number) => list.split(" ").includes(String(number));
  const show = (panel, title, total, chosenFigures) => {
    panel.replaceChildren();
    if (!title) { panel.hidden = true; return; }
    const heading = document.createElement("h3");
    heading.textContent = title;
    const count = document.createElement("p");
    count.className = "soft small";
    count.textContent = total === null ? `${chosenFigures.length} pictures`
      : `${chosenFigures.length} of ${total} photo${total === 1 ? "" : "s"} shown`;
    const gallery = document.createElement("div");
    gallery.className = "gallery";
    gallery.append(...chosenFigures.map((figure) => {
      const copy = figure.cloneNode(true);
      copy.hidden = false;
      return copy;
    }));
    panel.append(heading, count, gallery);
    panel.hidden = false;
    panel.scrollIntoView({ block: "nearest" });
  };
  const press = (group, button) => {
    const on = button.getAttribute("aria-pressed") !== "true";
    all(group).forEach((other) => other.setAttribute("aria-pressed", "false"));
    if (on) button.setAttribute("aria-pressed", "true");
    return on;
  };

  // A cell of the matrix, or a row of the list of mix-ups.
  const openCell = (button) => {
    const on = press("[data-cell]", button);
    const [row, column] = button.dataset.cell.split("-").map(Number);
    const title = row === column ? `${data.names[row]}, recognised`
      : `${data.names[row]}, taken for ${data.names[column]}`;
    const these = figures.filter((figure) =>
      has(figure.dataset.true, row) && has(figure.dataset.said, column));
    show(find("#cell"), on ? title : "", Number(button.dataset.count), these);
  };
  all("[data-cell]").forEach((button) => {
    if (button.tagName === "BUTTON" || figures.length) {
      button.addEventListener("click", () => openCell(button));
    }
  });

  // A label: its curve beside that of all, and the mistakes that concern it.
  const openLabel = (button) => {
    const on = press("[data-open-label]", button);
    chosen = on ? Number(button.dataset.openLabel) : null;
    const curve = on ? drawable(data.labels[chosen].curve) : [];
    find("#line-label").setAttribute("points", curve.map((point) => at(point).join(",")).join(" "));
    find("#legend-label").hidden = !on;
    find("#legend-label-name").textContent = on ? data.labels[chosen].name : "";
    find("#dot-label").toggleAttribute("hidden", true);
    move();
    const number = on ? data.labels[chosen].number : -1;
    const these = figures.filter((figure) => figure.dataset.wrong === "1" &&
      (has(figure.dataset.true, number) || has(figure.dataset.said, number)));
    const title = on && these.length ? `Mistakes with ${data.labels[chosen].name}` : "";
    show(find("#label-pictures"), title, null, these);
  };
  all("[data-open-label]").forEach((button) =>
    button.addEventListener("click", () => openLabel(button)));

  // Sorting and filtering the labels.
  const body = find("#labels tbody");
  const sortBy = (header) => {
    const index = [...header.parentNode.children].indexOf(header);
    const falling = header.getAttribute("aria-sort") === "ascending";
    const value = (row) => row.children[index].dataset.value ?? row.children[index].textContent;
    const compare = (a, b) => {
      const [first, second] = [value(a), value(b)];
      if (header.dataset.kind === "text") return first.localeCompare(second);
      return (first === "" ? Infinity : Number(first)) - (second === "" ? Infinity : Number(second));
    };
    const rows = [...body.children].sort(compare);
    body.append(...(falling ? rows.reverse() : rows));
    all("#labels thead th").forEach((other) => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", falling ? "descending" : "ascending");
  };
  all("#labels thead button").forEach((button) =>
    button.addEventListener("click", () => sortBy(button.closest("th"))));
  const filter = find("#label-filter");
  if (filter) {
    filter.addEventListener("input", () => {
      const wanted = filter.value.trim().toLocaleLowerCase();
      [...body.children].forEach((row) => {
        row.hidden = !row.dataset.name.toLocaleLowerCase().includes(wanted);
      });
    });
  }

  // More of the worst mistakes.
  const more = find("#more");
  if (more) {
    more.addEventListener("click", () => {
      all("#pictures figure[data-wrong='1']").forEach((figure) => { figure.hidden = false; });
      more.hidden = true;
    });
  }
})();
