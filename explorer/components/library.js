// The chart library, fetched once a tab, however many figures ask for it, and run once the first of them does: running it keeps the
// page busy for a second, which what is there already should not have to wait for.

function loadLibrary(path) {
  window.kedLibrary ??= (window.Plotly ? Promise.resolve() : runLibrary(path)).catch(() => {
    window.kedLibrary = undefined; // the next figure tries again
    throw new Error("The chart library did not load: check that the way to the server is free, then reload.");
  });
  return window.kedLibrary.then(() => window.Plotly);
}

// The server knows the library's path within the app. Where the app lies only the browser knows, since a proxy may put something
// before its addresses: there, where the page's own program came from. Streamlit asks browsers to fetch such a file anew each time;
// but its path names its version, so one that is kept is right.
function fetchLibrary(path) {
  const program = document.querySelector("script[type=module][src*='static/js/']").src;
  const file = async () => {
    const answer = await fetch(new URL(`../../${path}`, program), { cache: "force-cache" });
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.blob();
  };
  window.kedLibraryFile ??= file().catch((error) => { window.kedLibraryFile = undefined; throw error; });
  return window.kedLibraryFile;
}

async function runLibrary(path) {
  const script = Object.assign(document.createElement("script"), { src: URL.createObjectURL(await fetchLibrary(path)) });
  if (!document.hidden) await new Promise((painted) => { requestAnimationFrame(() => setTimeout(painted)); });
  await new Promise((resolve, reject) => {
    Object.assign(script, { onload: resolve, onerror: reject });
    document.head.append(script);
  });
  URL.revokeObjectURL(script.src);
}
