/** An error as the service words it: what is wrong, what was expected, what to do. */
import { ApiError } from '../api/index.js';

export function Trouble({ error }: { error: unknown }) {
  if (error === undefined) return null;
  if (!(error instanceof ApiError)) return <p class="trouble" role="alert">The page itself failed: {String(error)}</p>;
  return (
    <div class="trouble" role="alert">
      <p>{error.message}</p>
      <p class="quiet">Expected {error.expected}. What to do: {error.action}. <code>{error.code}</code></p>
    </div>
  );
}
