// The pictures behind a number, each a link that opens it in Classify.
function draw() {
  const value = props.value || {}, title = find('h3');
  title.textContent = value.message || value.title || '';
  title.classList.toggle('error', value.state === 'error');
  find('.part').textContent = value.part || (value.pictures?.length ? 'A click opens the picture in Classify.' : '');
  find('ul').replaceChildren(...(value.pictures || []).map((picture) => make('li', {}, make('a', { href: picture.href, 'aria-label': picture.alt },
    make('img', { src: picture.src || null, alt: '' }), make('span', { class: 'label' }, picture.label),
    ...picture.answers.map((line, index) => make('span', { class: `answer-line ${picture.kinds[index]}` }, line))))));
}
watch('value', draw);
draw();
