/** What was logged within the last hour. */
import { useEffect, useState } from 'preact/hooks';
import { getJson } from '../api/index.js';
import type { LogEntry } from '../api/index.js';
import { Panel, State, Trouble } from '../parts/index.js';
import type { Standing } from '../parts/index.js';

const levels = ['trace', 'debug', 'info', 'warn', 'error'] as const;
const standings: Readonly<Record<string, Standing>> = { warn: 'look', error: 'bad', fatal: 'bad' };
const everyMs = 3000;
const typingMs = 250;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

export function LogPanel() {
  const [level, setLevel] = useState<string>('info');
  const [text, setText] = useState('');
  const [told, setTold] = useState<{ readonly entries: readonly LogEntry[]; readonly error?: unknown }>({ entries: [] });
  useEffect(() => {
    const abort = new AbortController();
    const ask = () =>
      getJson<{ entries: LogEntry[] }>(`api/log?${new URLSearchParams({ level, text, limit: '200' }).toString()}`, abort.signal)
        .then(({ entries }) => setTold({ entries }))
        .catch((error: unknown) => {
          if (!abort.signal.aborted) setTold((before) => ({ ...before, error }));
        });
    const first = setTimeout(() => void ask(), typingMs);
    const timer = setInterval(() => {
      if (!document.hidden) void ask();
    }, everyMs);
    return () => {
      abort.abort();
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [level, text]);
  return (
    <Panel
      title="Log of the last hour"
      tools={
        <>
          <span class="gap" />
          <label class="field inline"><span>From level</span><select value={level} onChange={(event) => setLevel(event.currentTarget.value)}>{levels.map((one) => <option key={one}>{one}</option>)}</select></label>
          <label class="field inline"><span>With</span><input type="search" value={text} maxLength={200} onInput={(event) => setText(event.currentTarget.value)} /></label>
        </>
      }
    >
      <Trouble error={told.error} />
      {told.entries.length === 0 && <p class="quiet">Nothing of this kind was logged. What the log has depends on the level that the service was started with.</p>}
      {told.entries.length > 0 && (
        <div class="scrolled log" tabIndex={0} role="region" aria-label="Entries, the latest first">
          <table>
            <thead><tr><th>Time</th><th>Level</th><th>Entry</th></tr></thead>
            <tbody>
              {told.entries.map((entry, index) => (
                <tr key={`${entry.at} ${index}`}>
                  <td class="nowrap">{clock.format(entry.at)}</td>
                  <td><State is={standings[entry.level] ?? 'wait'}>{entry.level}</State></td>
                  <td>{entry.text} <code>{fieldsOf(entry)}</code></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function fieldsOf({ fields }: LogEntry): string {
  return Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`).join(' ');
}
