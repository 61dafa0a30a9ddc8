// Say so when nobody answers behind the page any more, instead of leaving it dead.
(() => {
  const { baseUrl, kernelId } = JSON.parse(document.getElementById("jupyter-config-data").textContent);
  const look = async () => {
    const answer = await fetch(`${baseUrl}api/kernels/${kernelId}`, { cache: "no-store" }).catch(() => null);
    if (answer && answer.ok) return;
    document.getElementById("cx-ended").hidden = false;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", seen);
  };
  const seen = () => { if (!document.hidden) look(); };
  const timer = setInterval(seen, 20000);
  document.addEventListener("visibilitychange", seen);
})();
