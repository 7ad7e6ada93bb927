
// The viewer shows one slice of one subject at a time, taken from images that hold all slices of a volume.
const isTrue = (grey) => grey > 127;

// The voxels of a volume, axis i fastest, from an image with its slices k in rows (see viewer.py).
async function readVolume(source, [ni, nj, nk]) {
  const picture = new Image();
  picture.src = source;
  await picture.decode();
  const sheet = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight).getContext("2d");
  sheet.drawImage(picture, 0, 0);
  const pixels = sheet.getImageData(0, 0, picture.naturalWidth, picture.naturalHeight).data;
  const columns = picture.naturalWidth / ni;
  const volume = new Uint8Array(ni * nj * nk);
  for (let k = 0, n = 0; k < nk; k++) {
    const left = (k % columns) * ni, top = Math.floor(k / columns) * nj;
    for (let j = 0; j < nj; j++) {
      for (let i = 0; i < ni; i++) volume[n++] = pixels[4 * ((top + j) * picture.naturalWidth + left + i)];
    }
  }
  return volume;
}

// A slice for display: the last voxel of both axes (right, anterior or superior) comes first.
function cutSlice(volume, shape, [across, up, cut], place) {
  const stride = [1, shape[0], shape[0] * shape[1]];
  const width = shape[across], height = shape[up], values = new Uint8Array(width * height);
  for (let y = 0, n = 0; y < height; y++) {
    const row = place * stride[cut] + (height - 1 - y) * stride[up];
    for (let x = width - 1; x >= 0; x--) values[n++] = volume[row + x * stride[across]];
  }
  return { width, height, values };
}

function drawGreys(pen, slice, left, top, width, height) {
  const picture = new ImageData(slice.width, slice.height);
  slice.values.forEach((grey, n) => picture.data.set([grey, grey, grey, 255], 4 * n));
  const sheet = new OffscreenCanvas(slice.width, slice.height);
  sheet.getContext("2d").putImageData(picture, 0, 0);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(sheet, left, top, width, height);
}

// The outline of a lesion, half-way between voxels inside and outside: one or two lines per square of four voxels.
function drawOutline(pen, slice, left, top, width, height) {
  const { width: columns, height: rows, values } = slice;
  const inside = (x, y) => x >= 0 && y >= 0 && x < columns && y < rows && isTrue(values[y * columns + x]);
  const at = ([x, y]) => [left + (x * width) / columns, top + (y * height) / rows];
  pen.beginPath();
  for (let y = -1; y < rows; y++) {
    for (let x = -1; x < columns; x++) {
      const [a, b, c, d] = [inside(x, y), inside(x + 1, y), inside(x + 1, y + 1), inside(x, y + 1)];
      const crossed = [];
      if (a !== b) crossed.push([x + 1, y + 0.5]);
      if (b !== c) crossed.push([x + 1.5, y + 1]);
      if (c !== d) crossed.push([x + 1, y + 1.5]);
      if (d !== a) crossed.push([x + 0.5, y + 1]);
      for (let n = 0; n < crossed.length; n += 2) {
        pen.moveTo(...at(crossed[n]));
        pen.lineTo(...at(crossed[n + 1]));
      }
    }
  }
  pen.stroke();
}

function startViewer(root) {
  const { cases, planes, sides, outlines, size_mm } = JSON.parse(root.querySelector("script").textContent);
  const find = (selector) => root.querySelector(selector);
  const canvas = find("canvas"), pen = canvas.getContext("2d"), list = find("select"), slider = find("[type=range]");
  const view = { subject: null, sequence: "", plane: "axial", at: [0, 0, 0], hidden: new Set() };
  const volumes = new Map(); // of the shown subject, by address; null while loading

  function volume(source) {
    if (!volumes.has(source)) {
      volumes.set(source, null);
      const { subject } = view;
      readVolume(source, subject.shape).then((voxels) => {
        if (view.subject !== subject) return;
        volumes.set(source, voxels);
        draw();
      });
    }
    return volumes.get(source);
  }

  function draw() {
    const { subject, sequence, plane } = view, axes = planes[plane], [across, up, cut] = axes;
    const voxels = volume(subject.images[sequence][1]);
    if (!voxels) return;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
    const scale = 0.98 * Math.min(canvas.width / size_mm[0], canvas.height / size_mm[1]); // pixels a millimetre
    const width = subject.shape[across] * subject.spacing_mm[across] * scale;
    const height = subject.shape[up] * subject.spacing_mm[up] * scale;
    const place = [(canvas.width - width) / 2, (canvas.height - height) / 2, width, height];
    drawGreys(pen, cutSlice(voxels, subject.shape, axes, view.at[cut]), ...place);
    for (const [name, source] of Object.entries(subject.outlines)) {
      const lesion = source && !view.hidden.has(name) && volume(source);
      if (!lesion) continue;
      pen.strokeStyle = outlines[name][1];
      pen.lineWidth = outlines[name][2] * devicePixelRatio;
      drawOutline(pen, cutSlice(lesion, subject.shape, axes, view.at[cut]), ...place);
    }
    drawSides(sides[plane]);
  }

  function drawSides([left, right]) {
    pen.font = `600 ${15 * devicePixelRatio}px system-ui, sans-serif`;
    [pen.textBaseline, pen.strokeStyle, pen.fillStyle, pen.lineWidth] = ["middle", "black", "white", 4 * devicePixelRatio];
    for (const [letter, side, x] of [[left, "left", 8 * devicePixelRatio], [right, "right", canvas.width - 8 * devicePixelRatio]]) {
      pen.textAlign = side;
      pen.strokeText(letter, x, canvas.height / 2);
      pen.fillText(letter, x, canvas.height / 2);
    }
  }

  // Update the controls and draw the slice.
  function show() {
    const { subject, plane } = view, cut = planes[plane][2];
    const number = subject.start[cut] + subject.step[cut] * view.at[cut];
    const words = `${plane[0].toUpperCase()}${plane.slice(1)}, ${"ijk"[cut]} = ${number}`;
    [slider.max, slider.value] = [subject.shape[cut] - 1, view.at[cut]];
    slider.setAttribute("aria-valuetext", words);
    find("output").textContent = words;
    canvas.setAttribute("aria-label", `${subject.title}. ${subject.images[view.sequence][0]}. ${words}.`);
    for (const button of root.querySelectorAll(".buttons button")) {
      button.setAttribute("aria-pressed", [view.sequence, plane].includes(button.value));
    }
    draw();
  }

  function go(place) {
    const cut = planes[view.plane][2];
    view.at[cut] = Math.max(0, Math.min(view.subject.shape[cut] - 1, place(view.at[cut])));
    show();
  }

  function fillButtons(group, names, choose) {
    group.replaceChildren(...Object.entries(names).map(([value, words]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", value, textContent: words });
      button.addEventListener("click", () => (choose(value), show()));
      return button;
    }));
  }

  function fillOutlines(group, subject) {
    group.replaceChildren(...Object.entries(subject.outlines).map(([name, source]) => {
      const label = document.createElement("label"), line = document.createElement("i");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: !view.hidden.has(name), disabled: !source });
      box.addEventListener("change", () => (view.hidden[box.checked ? "delete" : "add"](name), draw()));
      line.style.borderColor = outlines[name][1];
      label.append(box, line, outlines[name][0] + (source ? "" : ": no lesion found"));
      return label;
    }));
  }

  function choose(subject) {
    volumes.clear();
    const sequences = Object.keys(subject.images), flat = subject.shape[2] === 1;
    view.sequence = [view.sequence, "flair", sequences[0]].find((name) => sequences.includes(name));
    Object.assign(view, { subject, at: [...subject.centre], plane: flat ? "axial" : view.plane });
    find(".headline").textContent = subject.title.replace(/(\d) (?=ml|networks)/g, "$1\u00a0");
    for (const part of root.querySelectorAll(".planes, .slices input, .steering")) part.hidden = flat;
    fillButtons(find(".sequences"), Object.fromEntries(sequences.map((name) => [name, subject.images[name][0]])), (name) => (view.sequence = name));
    fillOutlines(find(".outlines"), subject);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    show();
    sequences.forEach((name) => volume(subject.images[name][1])); // load all sequences in advance
  }

  list.append(...cases.map(({ name }, n) => new Option(name, n)));
  list.addEventListener("change", () => choose(cases[list.value]));
  fillButtons(find(".planes"), { axial: "Axial", coronal: "Coronal", sagittal: "Sagittal" }, (plane) => (view.plane = plane));
  slider.addEventListener("input", () => go(() => Number(slider.value)));
  const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity };
  canvas.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    go((place) => place + steps[event.key]);
  });
  let turned = 0;
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas) return; // let the page scroll otherwise
    event.preventDefault();
    turned += event.deltaMode ? 60 * event.deltaY : event.deltaY;
    if (Math.abs(turned) < 60) return;
    go((place) => place - Math.sign(turned));
    turned = 0;
  }, { passive: false });
  new ResizeObserver(draw).observe(canvas);
  choose(cases[0]);
}

document.querySelectorAll(".viewer").forEach(startViewer);
