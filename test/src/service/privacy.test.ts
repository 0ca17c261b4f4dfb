/** Whoever the patient is, neither log nor metrics nor any error text says so: searched over whole sessions. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeClose, encodeConfigFile, encodeHeader, encodeText, parseMessages } from 'ismrmrd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { startService } from '../../../src/service/index.js';
import type { Service } from '../../../src/service/index.js';
import { concat, headerXml, lines } from '../streams.js';

const subject =
  '<subjectInformation><patientName>ZZNAME^ZZGIVEN</patientName><patientWeight_kg>70</patientWeight_kg><patientID>ZZPATIENT</patientID>' +
  '<patientBirthdate>1961-02-03</patientBirthdate></subjectInformation>' +
  '<studyInformation><studyDate>2024-05-06</studyDate><studyID>ZZSTUDY</studyID><accessionNumber>ZZACCESSION</accessionNumber>' +
  '<referringPhysicianName>ZZREFERRING</referringPhysicianName><studyDescription>ZZDESCRIPTION</studyDescription></studyInformation>' +
  '<measurementInformation><measurementID>ZZMEASUREMENT</measurementID><patientPosition>HFS</patientPosition><protocolName>ZZPROTOCOL</protocolName></measurementInformation>';

const named = headerXml().replace('<acquisitionSystemInformation>', `${subject}<acquisitionSystemInformation>`);
const scan = (xml: string, ...more: Uint8Array[]) => concat([...encodeConfigFile('default'), ...encodeHeader(xml), ...more, ...lines(), ...encodeClose()]);

/** Sessions that go well and sessions that go wrong, each in its own way. */
const sessions: Readonly<Record<string, Uint8Array>> = {
  'a scan': scan(named),
  'a weight that is no number': scan(named.replace('>70<', '>ZZNAME<')),
  'a counter that is no number': scan(named.replace('<x>32</x>', '<x>ZZNAME</x>')),
  'a series that is none': scan(named.replace('<patientPosition>HFS</patientPosition>', '<initialSeriesNumber>ZZNAME</initialSeriesNumber>')),
  'an element that nobody knows': scan(named.replace('<patientWeight_kg>', '<ZZNAME>ZZPATIENT</ZZNAME><patientWeight_kg>')),
  'XML that ends too early': scan(named.slice(0, named.indexOf('ZZGIVEN') + 5)),
  'XML that is torn': scan(named.replace('</patientName>', '</patientNam>')),
  'two headers': scan(named, ...encodeHeader(named)),
  'text about the patient': scan(named, ...encodeText('ZZNAME was here')),
  'parameters about the patient': scan(named, ...encodeText(JSON.stringify({ unalias: 'ZZNAME', ZZPATIENT: 1 }))),
  'a message that nobody knows': concat([...encodeConfigFile('default'), ...encodeHeader(named), Uint8Array.of(0xff, 0x3f)]),
  'an end within a message': scan(named).subarray(0, 3000),
  'no config': concat([...encodeHeader(named)]),
};

let service: Service;
const log: string[] = [];
const metrics = new Metrics();
beforeAll(async () => {
  service = await startService(
    { overrides: {}, implied: [], threads: 1, host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, http: { host: '127.0.0.1', port: 0 } },
    createLog('trace', { write: (line: string) => void log.push(line) }),
    metrics,
  );
}, 60_000);
afterAll(() => service.close(0));

async function answerTo(bytes: Uint8Array): Promise<string[]> {
  const socket = connect({ port: service.address.port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.end(bytes);
  const parts: Buffer[] = [];
  for await (const part of socket) parts.push(part as Buffer);
  return parseMessages(Buffer.concat(parts)).flatMap((message) => (message.kind === 'text' ? [message.text] : []));
}

const anybody = /ZZ|1961-?02-?03|2024-?05-?06/;

describe('a served session', () => {
  it.each(Object.keys(sessions))('names nobody: %s', async (name) => {
    const texts = await answerTo(sessions[name]!);
    // What a client called its own parameters comes back to it; nothing of the header does.
    const shown = name === 'parameters about the patient' ? [] : texts;
    expect(shown.join('\n')).not.toMatch(anybody);
    await sleep(50);
    expect(log.join('')).not.toMatch(anybody);
    expect(await metrics.registry.metrics()).not.toMatch(anybody);
  });

  it('was looked at in all its parts', async () => {
    expect(log.filter((line) => line.includes('session closed')).length).toBe(Object.keys(sessions).length);
    const page = await fetch(`http://127.0.0.1:${service.httpAddress!.port}/metrics`);
    const shown = await text(page.body!);
    expect(shown).toContain('conus_sessions_total{chain="default",outcome="completed"}');
    expect(shown).toContain('conus_errors_total');
    expect(shown).not.toMatch(anybody);
  });
});
