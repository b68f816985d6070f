// A link to this page with the settings that the server names, and a button that copies it.
const input = element.querySelector('input'), button = element.querySelector('button');
function show() { input.value = props.value ? location.origin + location.pathname + props.value : ''; }
button.addEventListener('click', async () => {
  button.textContent = await copyText(input.value) ? 'Copied' : 'Not allowed here';
  setTimeout(() => { button.textContent = 'Copy'; }, 2000);
});
input.addEventListener('focus', () => input.select());
watch('value', show);
show();
