// Text: fonts, its width before it is drawn, and where a line may break.

const FONT =
  '"Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", "Noto Sans SC", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif';
const CHINESE = /[\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]/;
const CLOSING = /^[、，。：；！？）》」』】〕”’…·％,.:;!?)\]}%]/;
const OPENING = /[（《「『【〔“‘([{]$/;

let colon = ": "; // as the language of the picture writes it
const widths = new Map();
const wrapped = new Map();
let pen = null;

function isChinese(spec) {
  return String(spec?.lang || "en").startsWith("zh");
}

function widthOf(text, size, weight = 400) {
  const key = `${size}|${weight}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 8000) widths.clear();
    pen = pen || document.createElement("canvas").getContext("2d");
    pen.font = `${weight} ${size}px ${FONT}`;
    width = pen.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

function widest(texts, size, weight) {
  return texts.reduce((most, text) => Math.max(most, widthOf(text || "", size, weight)), 0);
}

/** Pieces that stay whole: an English word, or one Chinese character with the punctuation that belongs to it. */
function pieces(text) {
  const found = [];
  for (const word of text.split(/(?<=[\s/\-–—])/)) {
    let plain = "";
    for (const letter of word) {
      if (!CHINESE.test(letter)) {
        plain += letter;
        continue;
      }
      if (plain) found.push(plain);
      found.push(letter);
      plain = "";
    }
    if (plain) found.push(plain);
  }
  const joined = [];
  for (const piece of found) {
    const before = joined[joined.length - 1];
    if (before !== undefined && ((CLOSING.test(piece) && !/\s$/.test(before)) || OPENING.test(before))) {
      joined[joined.length - 1] = before + piece;
    } else {
      joined.push(piece);
    }
  }
  return joined;
}

function shorten(text, width, size, weight) {
  let kept = [...text.trimEnd()];
  while (kept.length > 1 && widthOf(kept.join("").trimEnd() + "…", size, weight) > width) kept.pop();
  return kept.join("").trimEnd() + "…";
}

/** Lines of a text within a width, at most `most` of them; `cut` says that the end is missing. */
function wrap(text, width, size, { weight = 400, most = 2 } = {}) {
  text = String(text ?? "");
  const key = `${Math.round(width)}|${size}|${weight}|${most}|${text}`;
  const known = wrapped.get(key);
  if (known) return known;
  const lines = text.split("\n").flatMap((paragraph) => fill(paragraph, width, size, weight));
  const shown = lines.slice(0, most);
  const cut = lines.length > most;
  if (cut) shown[most - 1] = shorten(lines[most - 1] + (CHINESE.test(lines[most]) ? "" : " "), width, size, weight);
  const result = { lines: shown.map((line) => line.trimEnd()), cut, text };
  if (wrapped.size > 4000) wrapped.clear();
  wrapped.set(key, result);
  return result;
}

function fill(text, width, size, weight) {
  const fits = (line) => widthOf(line.trimEnd(), size, weight) <= width;
  const lines = [];
  let line = "";
  for (let piece of pieces(text)) {
    if (line && !fits(line + piece)) {
      lines.push(line);
      line = "";
    }
    while (!fits(line + piece) && [...piece].length > 1) {
      // A word longer than the line is broken where it must be.
      let part = [...piece];
      while (part.length > 1 && !fits(part.join(""))) part.pop();
      lines.push(part.join(""));
      piece = piece.slice(part.join("").length);
    }
    line += piece;
  }
  if (line || !lines.length) lines.push(line);
  return lines;
}
