// The widget: one SVG per view, painted once a frame at most, always with the newest spec.

const KINDS = { intervals: drawIntervals, panels: drawPanels, map: drawMap, curve: drawCurve, grid: drawGrid, paths: drawPaths, message: drawMessage };
const LEAST = 260; // narrower than this the picture scrolls

function compose(view, spec) {
  const draw = KINDS[spec.kind];
  if (!draw) throw new Error(String(spec.kind));
  const width = Math.max(LEAST, view.width);
  colon = isChinese(spec) ? "：" : ": ";
  const head = drawHead(spec, width);
  // A finding that grows and shrinks by a line while a slider moves must not make the picture jump.
  const same = `${spec.kind}|${spec.lang}|${width}`;
  view.head = view.headOf === same ? Math.max(view.head, head.height) : head.height;
  view.headOf = same;
  const body = draw(spec, width, view.model.get("height") || 0);
  const note = drawNote(spec, width);
  const wide = Math.max(width, Math.ceil(body.width || 0));
  const top = view.head;
  return { head, body, note, wide, top, high: Math.ceil(top + body.height + note.height) };
}

function put(view, spec) {
  const { head, body, note, wide, top, high } = compose(view, spec);
  const { svg } = view;
  const summary = [spec.title, spec.subtitle, spec.text].filter(Boolean).join(". ");
  for (const [key, value] of Object.entries({ width: wide, height: high, viewBox: `0 0 ${wide} ${high}`, "aria-label": summary })) svg.setAttribute(key, value);
  svg.replaceChildren(
    el("g", { class: "head", "data-stays": 0 }, ...head.nodes),
    el("g", { class: "body", transform: `translate(0,${top})` }, ...body.nodes),
    el("g", { class: "note", "data-stays": px(top + body.height) }, ...note.nodes),
    drawHits(body.hits, top),
  );
  view.hits = body.hits;
  view.top = top;
  view.wide = wide;
  view.said = () => factTable(spec, body.facts);
  const lang = isChinese(spec) ? "zh-CN" : "en";
  if (view.card.lang !== lang) view.status.replaceChildren(); // said in the other language
  view.card.lang = lang;
  followScroll(view);
  showTip(view, view.tip.hidden ? -1 : view.active);
}

/** Draw now; whatever is wrong with the spec becomes a sentence in the place of the picture. */
function paint(view) {
  const spec = view.model.get("spec") || {};
  view.spec = spec;
  view.due = 0;
  if (!view.width || !spec.kind) return;
  let shown = spec.kind;
  const start = performance.now();
  try {
    put(view, spec);
  } catch (error) {
    shown = "message";
    put(view, { kind: "message", tone: "error", lang: spec.lang, text: `${say(view, "undrawn")} ${error.message}` });
  }
  view.card.dataset.milliseconds = (performance.now() - start).toFixed(2);
  requestAnimationFrame(() => {
    view.facts.replaceChildren(view.said()); // the eyes first
    view.card.dataset.kind = shown;
    view.card.dataset.took = spec.took ?? "";
    view.card.dataset.version = spec.version ?? 0;
  });
}

function schedule(view) {
  if (!view.due) view.due = requestAnimationFrame(() => paint(view));
}

function furnish(el_) {
  const svg = el("svg", { role: "img", "font-family": FONT, xmlns: SVG });
  const scroller = html("div", { class: "cxlab-scroll", tabindex: "0" }, svg);
  const tip = html("div", { class: "cxlab-tip", role: "status", hidden: "" });
  const facts = html("div", { class: "cxlab-facts" });
  const status = html("div", { class: "cxlab-status", role: "status" });
  const card = html("div", { class: "cxlab-picture" }, scroller, tip, facts, status);
  el_.append(card);
  return { el: el_, card, scroller, svg, tip, facts, status };
}

function render({ model, el: place }) {
  const view = { model, ...furnish(place), width: 0, head: 0, hits: [], active: -1, top: 0, due: 0 };
  const redraw = () => schedule(view);
  const respond = (message, buffers) => answer(view, message, buffers);
  const observer = new ResizeObserver(() => {
    const width = Math.floor(view.scroller.clientWidth);
    if (width === view.width) return;
    view.width = width;
    schedule(view);
  });
  listen(view);
  observer.observe(view.scroller);
  model.on("change:spec", redraw);
  model.on("change:height", redraw);
  model.on("msg:custom", respond);
  return () => {
    observer.disconnect();
    cancelAnimationFrame(view.due);
    model.off("change:spec", redraw);
    model.off("change:height", redraw);
    model.off("msg:custom", respond);
  };
}

export default { render };
