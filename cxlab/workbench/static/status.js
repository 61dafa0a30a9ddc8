// The line under a picture that says what is going on, and names for what ipywidgets leaves nameless.

/** Slider handles take the label of their slider; boxes to tick are a group under their title. */
function nameControls(root) {
  const put = (node, name, value) => value && node.getAttribute(name) !== value && node.setAttribute(name, value);
  root.querySelectorAll(".widget-hslider").forEach((slider) => {
    const label = slider.querySelector(".widget-label")?.textContent;
    slider.querySelectorAll("[role=slider]").forEach((handle) => put(handle, "aria-label", label));
  });
  root.querySelectorAll(".cx-control-group").forEach((group) => {
    put(group, "role", "group");
    put(group, "aria-label", group.querySelector(".widget-label")?.textContent);
  });
}

function watch(root) {
  if (root.dataset.named) return;
  root.dataset.named = "yes";
  let due = 0;
  const name = () => { due = 0; nameControls(root); };
  new MutationObserver(() => { due = due || setTimeout(name, 200); }).observe(root, { childList: true, subtree: true, characterData: true });
  name();
}

function render({ model, el }) {
  // It stays in the page and only its text changes: a screen reader says nothing of a region that is put in anew.
  const line = document.createElement("div");
  line.setAttribute("role", "status");
  line.setAttribute("aria-live", "polite");
  const say = () => { line.textContent = model.get("value"); };
  el.append(line);
  say();
  model.on("change:value", say);
  const waiting = setInterval(() => {
    const root = el.closest(".cx-workbench");
    if (root) { clearInterval(waiting); watch(root); }
  }, 100);
  return () => { clearInterval(waiting); model.off("change:value", say); };
}

export default { render };
