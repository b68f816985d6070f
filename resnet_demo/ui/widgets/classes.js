// The classes of a visitor and their pictures: named, filled by drop, file, folder, ZIP or camera, and emptied again.
// The server keeps them (web/pictures.py); each change is one request, whose answer is drawn.
const NOTE = {
  examples: 'These are examples: test pictures of CIFAR-10, which the networks that ship have not learned from. Train on them, or begin with classes of your own.',
  own: 'Five pictures each are enough. Take some from different sides and before different backgrounds: a network learns whatever tells the classes apart.',
};
const SIDE = 448;                                   // pixels that the server keeps of a picture
const BURST = { every: 250, most: 30 };             // milliseconds, pictures
let state = null, camera = null, isDrawing = false;
const work = { done: 0, total: 0, running: 0, queue: [], sentences: [] };

const root = () => ((window.gradio_config && window.gradio_config.root) || location.href.split(/[?#]/)[0]).replace(/\/$/, '');
const cardOf = (name) => [...element.querySelectorAll('.class')].find((node) => node.dataset.name === name);

async function ask(path, options) {
  try {
    const answer = await fetch(`${root()}/pictures${path}`, options);
    const content = await answer.json();
    if (content.error) return { error: content.error };
    state = content;
    return content;
  } catch { return { error: 'No answer from the server. Try again in a moment.' }; }
}

function say(text, isError = false) {
  find('.news').textContent = text;
  find('.news').classList.toggle('error', isError);
}

async function change(fields, news = '') {
  const answer = await ask('/change', { method: 'POST', body: JSON.stringify(fields) });
  say(answer.error || news, Boolean(answer.error));
  draw();
  if (!answer.error) trigger('change');
  return !answer.error;
}

// A photograph is reduced here, where the browser can read it: a phone's 5 MB become 60 kB on their way.
async function reduced(file) {
  if (file.size < 200000 || !/^image\/(jpeg|png|webp)$/.test(file.type)) return file;
  try {
    const bitmap = await createImageBitmap(file), side = Math.min(bitmap.width, bitmap.height), small = Math.min(side, SIDE);
    const canvas = make('canvas', { width: small, height: small });
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#fff'; pen.fillRect(0, 0, small, small); pen.imageSmoothingQuality = 'high';
    pen.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, small, small);
    return await new Promise((resolve) => canvas.toBlob((blob) => resolve(blob || file), 'image/jpeg', 0.95));
  } catch { return file; }
}

// Files go to the server one after the other, two at a time; sentences about those left out are shown together.
function add(label, files) {
  if (!work.running && !work.queue.length) Object.assign(work, { done: 0, total: 0, sentences: [] });
  for (const [file, name] of files) { work.queue.push({ label, file, name: name || file.name || 'picture' }); work.total += 1; }
  while (work.running < 2 && work.queue.length) send();
}

async function send() {
  const { label, file, name } = work.queue.shift();
  work.running += 1;
  say(`Adding ${work.done + 1} of ${work.total} …`);
  const body = await reduced(file);
  const answer = await ask(`/add?label=${encodeURIComponent(label)}&name=${encodeURIComponent(name)}`, { method: 'POST', body });
  work.running -= 1; work.done += 1;
  if (answer.error) work.sentences.push(work.total > 1 ? `${name}: ${answer.error}` : answer.error);
  else work.sentences.push(...answer.sentences);
  draw();
  if (work.queue.length) send();
  else if (!work.running) finish();
}

function finish() {
  const count = work.sentences.length, more = count > 4 ? ` And ${count - 4} more.` : '';
  say(count ? work.sentences.slice(0, 4).join(' ') + more : work.total === 1 ? 'Added.' : `${work.total} added.`, count > 0);
  trigger('change');
}

// The class of a file of a folder is the folder in it that its path names, as for a ZIP (data/archive.py).
function byFolder(files) {
  let paths = files.map(([, path]) => path.split('/').slice(0, -1));
  const deep = () => paths.length && paths.every((path) => path.length > 1);
  while (deep() && new Set(paths.map((path) => path[0])).size === 1) paths = paths.map((path) => path.slice(1));
  if (deep() && paths.every((path) => /^(train|test|val|valid)$/i.test(path[0]))) paths = paths.map((path) => path.slice(1));
  const classes = new Map();
  files.forEach(([file, path], i) => {
    const name = paths[i][0] || '';
    if (/(^|\/)\./.test(path) || !/\.(jpe?g|png|webp|gif|bmp|hei[cf])$/i.test(path)) return;
    classes.set(name, [...(classes.get(name) || []), [file, path.split('/').pop()]]);
  });
  return classes;
}

function addFolder(label, files) {
  const classes = byFolder(files);
  if (!classes.size) { say('This folder holds no picture of a kind that can be read.', true); return; }
  for (const [name, pictures] of classes) add(label || name, pictures);
}

// What was dropped: files, and all files of folders.
async function dropped(items) {
  const files = [], entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  let folders = false;
  const walk = async (entry) => {
    if (entry.isFile) { files.push([await new Promise((resolve, reject) => entry.file(resolve, reject)), entry.fullPath.slice(1)]); return; }
    folders = true;
    const reader = entry.createReader();
    for (let part = await read(reader); part.length; part = await read(reader)) for (const inner of part) await walk(inner);
  };
  const read = (reader) => new Promise((resolve, reject) => reader.readEntries(resolve, reject));
  for (const entry of entries) await walk(entry);
  return { files, folders };
}

function acceptDrops(node, label) {
  let depth = 0;
  const over = (count) => { depth = count; node.classList.toggle('over', depth > 0); };
  node.addEventListener('dragenter', (event) => { event.preventDefault(); event.stopPropagation(); over(depth + 1); });
  node.addEventListener('dragover', (event) => { event.preventDefault(); event.stopPropagation(); });
  node.addEventListener('dragleave', (event) => { event.stopPropagation(); over(Math.max(depth - 1, 0)); });
  node.addEventListener('drop', async (event) => {
    event.preventDefault(); event.stopPropagation(); over(0);
    const plain = [...event.dataTransfer.files], { files, folders } = await dropped(event.dataTransfer.items);
    if (folders) addFolder(label, files);
    else if (label || plain.some((file) => /zip/i.test(file.type) || /\.zip$/i.test(file.name))) add(label, plain.map((file) => [file]));
    else say('Drop pictures on one of the classes, or here a ZIP or a folder with one folder for each class.', true);
  });
}

function thumbnail(picture, label) {
  const image = make('img', { src: `${root()}/pictures/${picture.file}`, alt: '', loading: 'lazy', width: 56, height: 56, class: picture.file.endsWith('png') ? 'small' : null });
  const button = make('button', { type: 'button', class: 'thumb', title: `${picture.name}: remove`, 'aria-label': `Remove ${picture.name} from ${label}`, 'data-file': picture.file }, image, make('span', { 'aria-hidden': 'true' }, '×'));
  button.addEventListener('click', () => change({ do: 'remove-picture', file: picture.file }, `${picture.name} was removed.`));
  return button;
}

function card(each, index) {
  const count = each.pictures.length, node = make('article', { class: 'class', 'data-name': each.name });
  const name = make('input', { type: 'text', class: 'name', maxlength: 40, 'aria-label': `Name of class ${index + 1}`, autocomplete: 'off', spellcheck: 'false' });
  name.value = each.name;
  name.addEventListener('blur', async () => { if (!isDrawing && name.value !== each.name && !await change({ do: 'rename-class', name: each.name, new_name: name.value })) name.value = each.name; });
  name.addEventListener('keydown', (event) => { if (event.key === 'Enter') name.blur(); });
  const files = make('input', { type: 'file', class: 'files', multiple: '', accept: 'image/*,.heic,.heif,.zip', 'aria-label': `Add pictures to ${each.name}` });
  files.addEventListener('change', () => { add(each.name, [...files.files].map((file) => [file])); files.value = ''; });
  const take = make('button', { type: 'button', class: 'camera', title: `Take pictures of ${each.name} with the camera` }, 'Camera');
  take.addEventListener('click', () => openCamera(each.name));
  const remove = make('button', { type: 'button', class: 'remove', title: `Remove the class ${each.name}`, 'aria-label': `Remove the class ${each.name}` }, '×');
  remove.addEventListener('click', () => change({ do: 'remove-class', name: each.name }, `Class ${each.name} was removed.`));
  node.append(
    make('div', { class: 'head' }, name, make('span', { class: 'count' }, count === 1 ? '1 picture' : `${count} pictures`), remove),
    make('div', { class: 'thumbs' }, ...each.pictures.map((picture) => thumbnail(picture, each.name)), count ? '' : make('span', { class: 'hint' }, 'Drop pictures here.')),
    make('div', { class: 'buttons' }, make('label', { class: 'button' }, 'Add pictures', files), ...(window.isSecureContext && navigator.mediaDevices ? [take] : [])),
  );
  acceptDrops(node, each.name);
  return node;
}

// Which control has the focus, to find it again after the cards are drawn anew.
function focusOf() {
  const node = element.contains(document.activeElement) && document.activeElement, place = node && node.closest('.class');
  if (!place) return null;
  return { place: [...place.parentElement.children].indexOf(place), part: node.classList[0], thumb: [...place.querySelectorAll('.thumb')].indexOf(node), text: node.value };
}

function draw() {
  if (!state) return;
  const focus = focusOf();
  isDrawing = true;
  find('.cards').replaceChildren(...state.classes.map(card));
  isDrawing = false;
  find('.note').textContent = state.own ? NOTE.own : NOTE.examples;
  find('.delete').hidden = !state.own;
  find('.start').textContent = state.own ? 'Start over' : 'Begin with my own';
  if (camera && !cardOf(camera.label)) closeCamera();
  if (focus) giveFocus(focus);
}

function giveFocus({ place, part, thumb, text }) {
  const node = element.querySelectorAll('.class')[place], thumbs = node ? node.querySelectorAll('.thumb') : [];
  const next = thumbs[Math.min(thumb, thumbs.length - 1)] || (thumb < 0 && part && node?.querySelector(`.${part}`)) || node?.querySelector('.files') || find('.new');
  next.focus();
  if (part === 'name' && text) next.value = text;         // what was typed while pictures arrived
}

// A burst: as long as the button is held, by pointer or by key, a picture is taken four times a second.
async function openCamera(label) {
  closeCamera();
  const video = make('video', { playsinline: '', muted: '', 'aria-label': 'What the camera sees' });
  const hold = make('button', { type: 'button', class: 'hold' }, 'Hold to take pictures'), end = make('button', { type: 'button', class: 'end' }, 'Close the camera');
  const node = make('div', { class: 'burst', role: 'group', 'aria-label': `Camera for ${label}` }, make('strong', {}, `For ${label}`), video, make('div', { class: 'buttons' }, hold, end));
  try { camera = { label, node, stream: await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }) }; } catch {
    say('The camera cannot be used: allow it in the browser, or choose pictures instead.', true);
    return;
  }
  video.srcObject = camera.stream; video.muted = true; video.play();
  find('.stage').replaceChildren(node);             // not in the card, which is drawn anew at each picture
  hold.focus();
  let timer = null, taken = 0;
  const shoot = () => {
    const side = Math.min(video.videoWidth, video.videoHeight);
    if (!side || taken >= BURST.most) return;
    taken += 1;
    const small = Math.min(side, SIDE), canvas = make('canvas', { width: small, height: small }), number = taken;
    canvas.getContext('2d').drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, small, small);
    canvas.toBlob((blob) => add(label, [[blob, `camera ${number}.jpg`]]), 'image/jpeg', 0.95);
  };
  const begin = () => { if (!timer) { taken = 0; shoot(); timer = setInterval(shoot, BURST.every); } };
  const stop = () => { clearInterval(timer); timer = null; };
  hold.addEventListener('pointerdown', (event) => { event.preventDefault(); hold.focus(); begin(); });
  hold.addEventListener('keydown', (event) => { if (event.key === ' ' || event.key === 'Enter') { event.preventDefault(); begin(); } });
  for (const name of ['pointerup', 'pointerleave', 'pointercancel', 'keyup', 'blur']) hold.addEventListener(name, stop);
  end.addEventListener('click', () => { stop(); closeCamera(); });
}

function closeCamera() {
  if (!camera) return;
  camera.stream.getTracks().forEach((track) => track.stop());
  camera.node.remove();
  camera = null;
}

async function load() {
  const answer = await ask('', {});
  if (answer.error) say(answer.error, true);
  draw();
}

find('.new').addEventListener('click', async () => { if (await change({ do: 'add-class' })) [...element.querySelectorAll('.class .name')].pop().select(); });
// What cannot be undone is asked first.
const sure = () => !state.own || !state.classes.some((each) => each.pictures.length) || confirm('Delete all pictures that you have given here?');
find('.start').addEventListener('click', () => sure() && change({ do: 'start' }, 'Two empty classes: name them, and give each a few pictures.'));
find('.delete').addEventListener('click', () => sure() && change({ do: 'delete' }, 'Your pictures are deleted.'));
find('.zip').addEventListener('change', (event) => { add('', [...event.target.files].map((file) => [file])); event.target.value = ''; });
find('.folder').addEventListener('change', (event) => { addFolder('', [...event.target.files].map((file) => [file, file.webkitRelativePath])); event.target.value = ''; });
acceptDrops(find('.classes'), '');
setInterval(() => { if (!work.running) load(); }, 600000);   // the page is still here, so the pictures stay
load();
