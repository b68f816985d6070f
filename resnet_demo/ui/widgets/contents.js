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
const opened = document.getElementById(location.hash.slice(1));
if (opened) requestAnimationFrame(() => opened.scrollIntoView());
