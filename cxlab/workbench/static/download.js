// What leaves the page: pictures, files made in the kernel, and text for the clipboard. Nothing goes over the network.

const SAID = {
  copied: { en: "Copied.", zh: "已复制。" },
  refused: { en: "The browser refused the clipboard; copy the text from this box:", zh: "浏览器不允许写入剪贴板，请从下面的框中复制：" },
  failed: { en: "This picture could not be saved:", zh: "图片保存失败：" },
  undrawn: { en: "This picture could not be drawn:", zh: "图片无法绘制：" },
};
const handled = new Set();

function say(view, key) {
  return SAID[key][isChinese(view.spec) ? "zh" : "en"];
}

/** The picture as a file of its own: white paper, no areas for the pointer, no reference to anything outside. */
function serialise(svg) {
  const copy = svg.cloneNode(true);
  copy.querySelectorAll(".hits").forEach((node) => node.remove());
  copy.querySelectorAll("[data-stays]").forEach((g) => g.setAttribute("transform", `translate(0,${g.dataset.stays})`));
  const [wide, high] = ["width", "height"].map((side) => Number(svg.getAttribute(side)));
  const margin = 16;
  copy.setAttribute("xmlns", SVG);
  copy.setAttribute("viewBox", `${-margin} ${-margin} ${wide + 2 * margin} ${high + 2 * margin}`);
  copy.setAttribute("width", wide + 2 * margin);
  copy.setAttribute("height", high + 2 * margin);
  copy.removeAttribute("class");
  copy.prepend(el("rect", { x: -margin, y: -margin, width: wide + 2 * margin, height: high + 2 * margin, fill: PAPER }));
  return new XMLSerializer().serializeToString(copy);
}

function download(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = html("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function paintPng(source, wide, high) {
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await picture.decode();
  const sheet = html("canvas", { width: Math.round(2 * wide), height: Math.round(2 * high) });
  sheet.getContext("2d").drawImage(picture, 0, 0, sheet.width, sheet.height);
  return new Promise((resolve, reject) => {
    sheet.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("PNG"))), "image/png");
  });
}

async function savePicture(view, { format, name }) {
  const source = serialise(view.svg);
  if (format === "svg") {
    download(new Blob([source], { type: "image/svg+xml" }), name);
    return;
  }
  const [wide, high] = ["width", "height"].map((side) => Number(view.svg.getAttribute(side)) + 32);
  download(await paintPng(source, wide, high), name);
}

function bytesOf(buffer) {
  return buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

async function copyText(view, content) {
  try {
    await navigator.clipboard.writeText(content);
    tell(view, say(view, "copied"));
    return;
  } catch {
    // Refused, or not a secure context: the old way next.
  }
  const field = html("textarea", { class: "cxlab-copy", readonly: "", rows: "4", "aria-label": say(view, "refused") });
  field.value = content;
  const before = document.activeElement;
  tell(view, "", field);
  field.select();
  if (document.execCommand("copy")) {
    tell(view, say(view, "copied"));
    before?.focus?.();
  } else {
    tell(view, say(view, "refused"), field);
    field.select();
  }
}

/** A line under the picture that goes away by itself unless something is to be copied from it. */
function tell(view, sentence, ...more) {
  clearTimeout(view.telling);
  view.status.replaceChildren(sentence, ...more);
  if (!more.length) view.telling = setTimeout(() => view.status.replaceChildren(), 4000);
}

/** One message is answered once, by the first view of the picture that is on the page. */
async function answer(view, message, buffers) {
  if (!message || !view.el.isConnected || handled.has(message.id)) return;
  if (message.do === "save" && !view.width) return;
  handled.add(message.id);
  try {
    if (message.do === "save") {
      paint(view);
      await savePicture(view, message);
    } else if (message.do === "offer") {
      download(new Blob([bytesOf(buffers[0])], { type: message.mime }), message.name);
    } else if (message.do === "copy") {
      await copyText(view, message.text);
    }
  } catch (error) {
    tell(view, `${say(view, "failed")} ${error.message}`);
  }
}
