import { CodedError } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { AddressList, checkDoor, isLoopback } from '../../../src/doors/index.js';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'no error';
};

describe('loopback', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1', '[::1]', 'localhost', 'LocalHost', '::ffff:127.0.0.1'])('is %s', (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  it.each(['', '0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', '1127.0.0.1', '127.0.0.999', 'localhost.example.org', '::2'])('is not %j', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe('a door', () => {
  const doors = ['mrd', 'http', 'live', 'dicom'] as const;

  it.each(doors)('opens on loopback without guards (%s)', (door) => {
    for (const host of ['127.0.0.1', '::1', 'localhost']) expect(codeOf(() => checkDoor(door, host, {}))).toBe('no error');
  });

  it.each(doors)('stays closed elsewhere without guards (%s)', (door) => {
    for (const host of ['0.0.0.0', '::', '', '10.1.2.3', 'scanner.example']) expect(codeOf(() => checkDoor(door, host, {}))).toBe('CONUS_ERR_DOOR_UNGUARDED');
  });

  it('opens elsewhere behind the guards of its kind, and behind no others', () => {
    const opens = (door: (typeof doors)[number], guards: Parameters<typeof checkDoor>[2]) => codeOf(() => checkDoor(door, '0.0.0.0', guards)) === 'no error';
    for (const door of ['http', 'live'] as const) {
      expect(opens(door, { tokens: true })).toBe(true);
      expect(opens(door, { tls: true, clientCertificates: true })).toBe(true);
      expect(opens(door, { tls: true })).toBe(false);
      expect(opens(door, { listedAddresses: true, knownAeTitles: true })).toBe(false);
    }
    expect(opens('dicom', { tls: true, knownAeTitles: true })).toBe(true);
    expect(opens('dicom', { tls: true })).toBe(false);
    expect(opens('dicom', { knownAeTitles: true })).toBe(false);
    expect(opens('dicom', { tokens: true })).toBe(false);
    expect(opens('mrd', { listedAddresses: true })).toBe(true);
    expect(opens('mrd', { tokens: true, tls: true, knownAeTitles: true })).toBe(false);
  });
});

describe('a list of addresses', () => {
  it('allows loopback, what is listed, and nothing else', () => {
    const list = new AddressList(['10.1.0.0/16', '192.168.7.9', 'fd00::/8']);
    for (const address of ['127.0.0.1', '::1', '10.1.200.3', '::ffff:10.1.200.3', '192.168.7.9', 'fd12::1']) expect(list.allows(address)).toBe(true);
    for (const address of ['10.2.0.1', '192.168.7.10', 'fe80::1', '::ffff:10.2.0.1', '', 'localhost.example']) expect(list.allows(address)).toBe(false);
    expect(new AddressList([]).allows('10.1.0.1')).toBe(false);
    expect(new AddressList(['0.0.0.0/0']).allows('8.8.8.8')).toBe(true);
  });

  it.each(['', 'scanner', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'fd00::/129', '10.0.0'])('refuses %j', (entry) => {
    expect(codeOf(() => new AddressList([entry]))).toBe('CONUS_ERR_DOOR_ADDRESS');
  });
});
