// Says a word back, once a run. What the server hears then comes after all that the browser had sent before it took that run in.

let said;

export default function ({ data, setStateValue }) {
  if (said === data.run) return;
  said = data.run;
  setStateValue("word", data.word);
}
