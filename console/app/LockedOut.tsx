/** What is there without a token: a place for one. */
import { setToken } from '../api/index.js';

export function LockedOut() {
  return (
    <main class="locked-out">
      <h1>This service wants a token</h1>
      <p>
        <code>conus serve</code> printed an address with a token when it started; open that. Or paste the token here: it is kept until
        this tab is closed, and goes to this service only.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const given = String(new FormData(event.currentTarget).get('token') ?? '').trim();
          if (given !== '') setToken(given);
        }}
      >
        <label class="field">
          <span>Token</span>
          <input name="token" type="password" autocomplete="off" required />
        </label>
        <button type="submit" class="primary">Open</button>
      </form>
    </main>
  );
}
