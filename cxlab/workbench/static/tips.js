// Reading single values: a tip under the pointer or by the arrow keys, and the same facts as a table for screen readers.

function html(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** Transparent areas over the picture that catch the pointer; `top` is where the body of the picture begins. */
function drawHits(hits, top) {
  const areas = hits.map((hit, i) => el("rect", {
    class: "hit", x: px(hit.x), y: px(hit.y + top), width: px(hit.width), height: px(hit.height), fill: "transparent", "data-hit": i }));
  return el("g", { class: "hits", "aria-hidden": "true" }, el("g", { class: "highlight" }), ...areas);
}

function highlight(hit, top) {
  if (hit.upright !== undefined) return line(hit.upright, hit.y + top, hit.upright, hit.y + hit.height + top, "#000000", 1, { opacity: 0.45 });
  if (hit.round) return el("circle", { cx: px(hit.x + hit.width / 2), cy: px(hit.y + top + hit.height / 2), r: hit.width / 2 - 1, fill: "none", stroke: INK, "stroke-width": 1.2 });
  return el("rect", { x: px(hit.x), y: px(hit.y + top), width: px(hit.width), height: px(hit.height), rx: 3, fill: "#000000", opacity: 0.055 });
}

function showTip(view, index) {
  const hit = view.hits[index];
  const marker = view.svg.querySelector(".highlight");
  view.active = hit ? index : -1;
  if (view.tip.hidden !== !hit) view.tip.hidden = !hit;
  if (marker) marker.replaceChildren(...(hit ? [highlight(hit, view.top)] : []));
  if (!hit) return;
  if (view.tip.textContent !== hit.text) view.tip.textContent = hit.text;
  const scroll = view.scroller.scrollLeft;
  const [wide, high] = [view.tip.offsetWidth, view.tip.offsetHeight];
  // Over a row it stands at the left, where it covers labels but no dots; over a curve beside the line that marks the place.
  const middle = hit.x === 0 ? 0 : hit.x + hit.width / 2 - scroll - wide / 2;
  const beside = hit.upright - scroll + (hit.upright - scroll + wide + 12 > view.width ? -wide - 10 : 10);
  const x = Math.max(0, Math.min(view.width - wide, hit.upright === undefined ? middle : beside));
  const above = hit.y + view.top - high - 6;
  view.tip.style.left = `${x + view.scroller.offsetLeft}px`;
  view.tip.style.top = `${(hit.upright !== undefined ? hit.y + view.top + 4 : above > -10 ? above : hit.y + view.top + hit.height + 6) + view.scroller.offsetTop}px`;
}

function listen(view) {
  view.svg.addEventListener("pointermove", (event) => {
    const index = event.target.dataset?.hit;
    if (index === undefined) showTip(view, -1);
    else if (Number(index) !== view.active) showTip(view, Number(index));
  });
  view.svg.addEventListener("pointerleave", () => showTip(view, -1));
  view.scroller.addEventListener("scroll", () => followScroll(view));
  view.scroller.addEventListener("blur", () => showTip(view, -1));
  view.scroller.addEventListener("keydown", (event) => {
    const last = view.hits.length - 1;
    const to = { ArrowDown: view.active + 1, ArrowRight: view.active + 1, ArrowUp: view.active - 1, ArrowLeft: view.active - 1,
      Home: 0, End: last, Escape: -1 }[event.key];
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (to === undefined || last < 0 || (sideways && view.wide > view.width)) return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab takes arrow keys for its cells
    showTip(view, event.key === "Escape" ? -1 : Math.max(0, Math.min(last, to)));
  });
}

/** A picture wider than the page fades out at the side where it goes on; its title and note stay in sight. */
function followScroll(view) {
  const { scroller, svg, card } = view;
  const over = view.wide - view.width;
  const gone = over > 0 ? scroller.scrollLeft : 0; // asked only where it matters: the answer costs a layout
  card.classList.toggle("cxlab-more", over - gone > 3);
  card.style.setProperty("--cxlab-head", `${view.top}px`);
  svg.querySelectorAll("[data-stays]").forEach((g) => g.setAttribute("transform", `translate(${gone},${g.dataset.stays})`));
}

function factTable(spec, facts) {
  const rows = facts.map((row, i) => html("tr", {}, ...row.map((cell, k) => html(i === 0 || k === 0 ? "th" : "td", {}, String(cell ?? "")))));
  const caption = html("caption", {}, [spec.title, spec.subtitle, spec.text].filter(Boolean).join(" "));
  const after = spec.note ? [html("tfoot", {}, html("tr", {}, html("td", {}, spec.note)))] : [];
  return html("table", {}, caption, html("tbody", {}, ...rows), ...after);
}
