// A figure's pictures, drawn by hand while the chart library is still on its way: a first visitor sees them a second or two earlier.
// Cells alone, in their places and colours; lines, letters and all that answers come with the library.

const ARRAYS = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };

// Numbers of a trace as (rows, columns, colours or none), written as lists or packed.
function gridOf(z) {
  if (!z?.bdata) return Array.isArray(z?.[0]) ? { rows: z.length, columns: z[0].length, values: z.flat(2) } : undefined;
  const [rows, columns] = String(z.shape ?? "").split(",").map(Number);
  const bytes = Uint8Array.from(atob(z.bdata), (letter) => letter.charCodeAt(0));
  return columns && ARRAYS[z.dtype] ? { rows, columns, values: new ARRAYS[z.dtype](bytes.buffer) } : undefined;
}

// Any CSS colour as [red, green, blue, alpha].
function colourOf(text, pen) {
  pen.fillStyle = text;
  const hex = /^#(..)(..)(..)$/.exec(pen.fillStyle);
  return hex ? [...hex.slice(1).map((part) => parseInt(part, 16)), 1] : pen.fillStyle.match(/[\d.]+/g).map(Number);
}

function inks(trace, { values }, pen) {
  if (trace.type === "image") {
    const model = trace.colormodel ?? "rgb", depth = model === "rgb" ? 3 : 4, most = model === "rgba" ? 255 : 1;
    return (i) => [0, 1, 2, 3].map((part) => (part < 3 ? values[depth * i + part] : depth === 3 ? 255 : most * values[depth * i + 3]));
  }
  const scale = trace.colorscale.map(([at, text]) => [at, colourOf(text, pen)]);
  const { zmin, zmax } = trace;
  return (i) => {
    if (!Number.isFinite(values[i])) return [0, 0, 0, 0];
    const at = Math.min(1, Math.max(0, (values[i] - zmin) / (zmax - zmin || 1)));
    const next = Math.max(1, scale.findIndex(([place]) => place >= at));
    const [[low, from], [high, to]] = [scale[next - 1], scale[next]];
    const share = (at - low) / (high - low || 1);
    return from.map((part, k) => (part + share * (to[k] - part)) * (k === 3 ? 255 : 1));
  };
}

// Where a trace's cells lie, in pixels of the figure: axes in their domains, square cells in the middle of the room.
function placeOf(trace, { rows, columns }, layout, width, height) {
  const [x, y] = ["x", "y"].map((name) => layout[`${name}axis${(trace[`${name}axis`] ?? name).slice(1)}`] ?? {});
  const { l = 80, r = 80, t = 100, b = 80 } = layout.margin ?? {};
  const [x0, x1] = x.domain ?? [0, 1], [y0, y1] = y.domain ?? [0, 1];
  const [left, right] = x.range ?? [-0.5, columns - 0.5], [bottom, top] = y.range ?? (trace.type === "image" ? [rows - 0.5, -0.5] : [-0.5, rows - 0.5]);
  const room = { x: l + x0 * (width - l - r), y: t + (1 - y1) * (height - t - b), width: (x1 - x0) * (width - l - r), height: (y1 - y0) * (height - t - b) };
  let across = room.width / (right - left), down = room.height / (top - bottom);
  if (y.scaleanchor || x.scaleanchor) {
    const cell = Math.min(Math.abs(across), Math.abs(down));
    [across, down] = [cell * Math.sign(across), cell * Math.sign(down)];
  }
  const wide = x.constraintoward === "left" ? across * (right - left) : room.width;
  const corner = [room.x + wide / 2 + across * (-0.5 - (left + right) / 2), room.y + room.height / 2 - down * (-0.5 - (bottom + top) / 2)];
  return [...corner, across * columns, -down * rows];
}

// Draws into a canvas over the figure's place; undefined where a figure has no cells.
function sketch(frame, { data, layout }, width, height) {
  const found = data.flatMap((trace) => {
    // A bar of colours takes room that the library alone knows.
    const plain = trace.type === "heatmap" && Array.isArray(trace.colorscale?.[0]) && trace.zmax !== undefined && trace.showscale === false && !trace.dx;
    const grid = (plain || trace.type === "image") && trace.visible !== false ? gridOf(trace.z) : undefined;
    return grid ? [{ trace, grid }] : [];
  });
  if (!found.length || !width) return undefined;
  const sharp = window.devicePixelRatio || 1;
  const canvas = Object.assign(document.createElement("canvas"), { className: "ked-sketch", width: width * sharp, height: height * sharp });
  canvas.setAttribute("aria-hidden", "true");
  const pen = canvas.getContext("2d");
  pen.scale(sharp, sharp);
  pen.imageSmoothingEnabled = false;
  for (const { trace, grid } of found) {
    const cells = new OffscreenCanvas(grid.columns, grid.rows), brush = cells.getContext("2d");
    const picture = brush.createImageData(grid.columns, grid.rows), ink = inks(trace, grid, brush);
    for (let i = 0; i < grid.rows * grid.columns; i += 1) picture.data.set(ink(i), 4 * i);
    brush.putImageData(picture, 0, 0);
    const [x, y, across, down] = placeOf(trace, grid, layout, width, height);
    pen.save();
    pen.globalAlpha = trace.opacity ?? 1;
    pen.translate(x, y);
    pen.scale(Math.sign(across), Math.sign(down));
    pen.drawImage(cells, 0, 0, Math.abs(across), Math.abs(down));
    pen.restore();
  }
  frame.append(canvas);
  return canvas;
}
