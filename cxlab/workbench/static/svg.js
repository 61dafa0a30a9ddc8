// SVG elements, and the colours and shapes of marks. All looks are attributes, so that a saved file needs no style sheet.

const SVG = "http://www.w3.org/2000/svg";
const INK = "#262626";
const SOFT = "#595959"; // small text; grey enough to stand back, dark enough to read
const LINE = "#8c8c8c";
const GRID = "#e6e6e6";
const PAPER = "#ffffff";
const FIRST = "#0072B2";

function el(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== "") node.setAttribute(key, value);
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

const px = (value) => Math.round(value * 10) / 10;

function text(content, x, y, { size = 12, weight, colour = INK, anchor, halo, title } = {}) {
  const node = el("text", {
    x: px(x), y: px(y), "font-size": size, "font-weight": weight, fill: colour, "text-anchor": anchor,
    ...(halo ? { stroke: PAPER, "stroke-width": 3, "stroke-linejoin": "round", "paint-order": "stroke" } : {}),
  });
  node.textContent = content;
  if (title) node.append(tipOf(title));
  return node;
}

/** Wrapped lines below each other; `y` is the baseline of the first. */
function lines(block, x, y, options = {}) {
  const step = options.step || Math.round((options.size || 12) * 1.35);
  return block.lines.map((line, i) =>
    text(line, x, y + i * step, { ...options, title: block.cut ? block.text : options.title }));
}

function tipOf(content) {
  const node = el("title");
  node.textContent = content;
  return node;
}

function line(x1, y1, x2, y2, colour = GRID, width = 1, more = {}) {
  return el("line", { x1: px(x1), y1: px(y1), x2: px(x2), y2: px(y2), stroke: colour, "stroke-width": width, ...more });
}

const SHAPES = [
  (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`, // circle
  (r) => `M${-0.88 * r},${-0.88 * r}h${1.76 * r}v${1.76 * r}h${-1.76 * r}Z`, // square
  (r) => `M0,${-1.2 * r}L${1.1 * r},${0.8 * r}H${-1.1 * r}Z`, // triangle
  (r) => `M0,${-1.25 * r}L${1.25 * r},0L0,${1.25 * r}L${-1.25 * r},0Z`, // diamond
  (r) => `M0,${1.2 * r}L${1.1 * r},${-0.8 * r}H${-1.1 * r}Z`, // triangle, point down
  (r) => `M${-0.45 * r},${-1.2 * r}h${0.9 * r}v${0.75 * r}h${0.75 * r}v${0.9 * r}h${-0.75 * r}v${0.75 * r}h${-0.9 * r}v${-0.75 * r}h${-0.75 * r}v${-0.9 * r}h${0.75 * r}Z`, // plus
  (r) => `M${-1.15 * r},0L${-0.55 * r},${-r}H${0.55 * r}L${1.15 * r},0L${0.55 * r},${r}H${-0.55 * r}Z`, // hexagon
];
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "5 2", "1 3", "12 4"];

/** A dot in the shape of its series; faded ones are hollow. */
function dot(x, y, order, colour, { faded = false, radius = 4.6 } = {}) {
  return el("path", {
    d: SHAPES[order % SHAPES.length](radius), transform: `translate(${px(x)},${px(y)})`,
    fill: faded ? PAPER : colour, stroke: faded ? colour : PAPER, "stroke-width": faded ? 1.6 : 1,
  });
}

/** A group that carries the unrounded numbers of a mark, and its tip. */
function mark(numbers, tip, ...children) {
  const data = {};
  for (const [name, value] of Object.entries(numbers)) data[`data-${name}`] = value;
  return el("g", { class: "mark", ...data }, tip ? tipOf(tip) : null, ...children);
}

function blend(colour, share) {
  const parts = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return `#${parts.map((p) => Math.round(255 + (p - 255) * share).toString(16).padStart(2, "0")).join("")}`;
}
