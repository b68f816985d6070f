// The contents of a long page: [{id, title}], links to its headings. An address that ends in #id opens the page there.
function show() {
  find('ol').replaceChildren(...(props.value || []).map(({ id, title }) => make('li', {}, make('a', { href: `#${id}` }, title))));
}

element.addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (!link) return;
  event.preventDefault();   // the browser's history is the tabs'
  const here = new URL(location.href), heading = document.getElementById(link.hash.slice(1));
  here.hash = link.hash;
  history.replaceState(history.state, '', here);
  heading.scrollIntoView();
  heading.focus({ preventScroll: true });
});
watch('value', show);
show();

// The rest of the page is put in after this, and grows as its figures are drawn: follow the heading until a person moves.
let moved = false;
function follow(patience) {
  const heading = document.getElementById(location.hash.slice(1)), visible = heading && heading.offsetParent;
  if (visible) heading.scrollIntoView();
  if (patience > 0 && !moved) requestAnimationFrame(() => follow(patience - (visible ? 10 : 1)));
}
for (const name of ['wheel', 'touchstart', 'keydown', 'pointerdown']) addEventListener(name, () => { moved = true; }, { once: true, passive: true });
if (location.hash) follow(300);
