// Scales and axes: from a number to a place, and ticks whose texts keep clear of each other.

function rangeOf(axis = {}) {
  const at = (axis.ticks || []).map((tick) => tick.at);
  let low = axis.low ?? Math.min(...at, Infinity);
  let high = axis.high ?? Math.max(...at, -Infinity);
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  return [low, high];
}

function scaleOf(axis, from, to) {
  const [low, high] = rangeOf(axis);
  const place = (value) => from + ((value - low) / (high - low)) * (to - from);
  place.low = low;
  place.high = high;
  place.inside = (value) => value >= low - 1e-9 * (high - low) && value <= high + 1e-9 * (high - low);
  place.held = (value) => place(Math.min(high, Math.max(low, value)));
  return place;
}

/** Every k-th tick, with the smallest k that lets the texts stand apart. */
function spaced(axis, place, size, left, right) {
  const ticks = (axis.ticks || []).filter((tick) => place.inside(tick.at));
  const boxes = ticks.map((tick) => {
    const half = widthOf(tick.text || "", size) / 2;
    const middle = Math.min(right - half, Math.max(left + half, place(tick.at)));
    return { ...tick, x: place(tick.at), middle, from: middle - half, to: middle + half };
  });
  // Numbers count from their first tick; of waves the last one is what people look for.
  const plain = boxes.every((box) => /^[+−-]?[\d.,\s]*%?$/.test(box.text || ""));
  for (let step = 1; step <= boxes.length; step += 1) {
    const kept = boxes.filter((_, i) => (plain ? i : boxes.length - 1 - i) % step === 0);
    if (kept.every((box, i) => i === 0 || box.from >= kept[i - 1].to + 8)) return kept;
  }
  return plain ? boxes.slice(0, 1) : boxes.slice(-1);
}

/** Horizontal axis with its grid lines between `top` and `bottom`; returns its nodes and its height below `bottom`. */
function axisBelow(axis, place, { top, bottom, left, right, edge }) {
  const nodes = [];
  const ticks = spaced(axis, place, 11, 0, edge);
  for (const tick of ticks) {
    nodes.push(line(tick.x, top, tick.x, bottom, GRID));
    nodes.push(text(tick.text, tick.middle, bottom + 16, { size: 11, colour: SOFT, anchor: "middle" }));
  }
  nodes.push(line(left, bottom, right, bottom, LINE));
  let height = ticks.length ? 22 : 6;
  if (axis.label) {
    const width = Math.max(right - left, Math.min(edge, 320));
    const block = wrap(axis.label, width, 12);
    const half = widest(block.lines, 12) / 2;
    const middle = Math.min(edge - half, Math.max(half, (left + right) / 2));
    nodes.push(...lines(block, middle, bottom + height + 12, { size: 12, colour: SOFT, anchor: "middle" }));
    height += 16 * block.lines.length + 4;
  }
  return { nodes, height };
}

/** Vertical axis left of `left`; its label stands upright above the plot, where it can be read. */
function axisBeside(axis, place, { left, right, top }) {
  const nodes = [];
  let last = Infinity;
  for (const tick of (axis.ticks || []).filter((t) => place.inside(t.at))) {
    const y = place(tick.at);
    nodes.push(line(left, y, right, y, GRID));
    if (Math.abs(last - y) < 15) continue;
    last = y;
    nodes.push(text(tick.text, left - 7, y + 4, { size: 11, colour: SOFT, anchor: "end" }));
  }
  if (axis.label) {
    const block = wrap(axis.label, right, 12, { most: 1 });
    nodes.push(...lines(block, 0, top - 14, { size: 12, colour: SOFT }));
  }
  return nodes;
}

function besideWidth(axis) {
  return Math.max(18, widest((axis.ticks || []).map((tick) => tick.text), 11) + 8);
}

/** Labels side by side over the places that they name, in as many levels as keep them apart. */
function levelled(labels, edge, size, weight) {
  const levels = [];
  const placed = labels.map(({ label, at }) => {
    const block = wrap(label || "", Math.min(220, edge), size, { weight, most: 1 });
    const half = widest(block.lines, size, weight) / 2;
    const middle = Math.min(edge - half, Math.max(half, at));
    let level = 0;
    while (label && levels[level]?.some((b) => middle - half < b.to + 8 && middle + half > b.from - 8)) level += 1;
    if (label) (levels[level] = levels[level] || []).push({ from: middle - half, to: middle + half });
    return { block, middle, level };
  });
  return { placed, height: levels.length ? levels.length * 15 + 3 : 0 };
}

/** Vertical dashed lines with labels above the plot. */
function uprights(marks, place, { bottom, edge, colour = SOFT }) {
  const shown = (marks || []).filter((m) => Number.isFinite(m.at) && place.inside(m.at));
  const { placed, height } = levelled(shown.map((m) => ({ label: m.label, at: place(m.at) })), edge, 11);
  const draw = (y) => placed.flatMap(({ block, middle, level }, i) => [
    line(place(shown[i].at), y - 4 - 15 * level, place(shown[i].at), bottom(), colour, 1.2, { "stroke-dasharray": "4 3", "data-at": shown[i].at }),
    ...lines(block, middle, y - 7 - 15 * level, { size: 11, colour, anchor: "middle", halo: true }),
  ]);
  return { height, draw };
}

/** Places taken by texts and dots, so that the next text finds a free one. */
class Places {
  constructor(left, top, right, bottom) {
    Object.assign(this, { left, top, right, bottom, taken: [] });
  }

  take(x, y, width, height) {
    this.taken.push([x, y, x + width, y + height]);
  }

  free(x, y, width, height) {
    if (x < this.left || y < this.top || x + width > this.right || y + height > this.bottom) return false;
    return this.taken.every(([l, t, r, b]) => x >= r || x + width <= l || y >= b || y + height <= t);
  }
}
