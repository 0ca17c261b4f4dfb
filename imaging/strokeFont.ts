/**
 * Letters as strokes: the Roman Simplex face of A. V. Hershey (1967, Calligraphy for Computers, U. S. Naval Weapons
 * Laboratory, report 2101), of which the free use asks that its origin be told, in the notation of J. Hurt (Cognition,
 * Inc.); the hyphen and what stands behind ~ are ours. A character is a number, counted from R: left and right edge of the glyph, then
 * points, x to the right and y downwards; a blank before R lifts the pen.
 *
 *   capitals reach from -12 to the baseline at 9, descenders to 16
 */
const glyphs: Readonly<Record<string, string>> = {
  '!': 'MWRFRT RRYQZR[SZRY', '"': 'JZNFNM RVFVM', '#': 'H]SBLb RYBRb RLOZO RKUYU',
  '$': 'H\\PBP_ RTBT_ RYIWGTFPFMGKIKKLMMNOOUQWRXSYUYXWZT[P[MZKX',
  '%': 'F^[FI[ RNFPHPJOLMMKMIKIIJGLFNFPGSHVHYG[F RWTUUTWTYV[X[ZZ[X[VYTWT',
  '&': 'E_\\O\\N[MZMYNXPVUTXRZP[L[JZIYHWHUISJRQNRMSKSIRGPFNGMIMKNNPQUXWZY[[[\\Z\\Y', "'": 'MWRHQGRFSGSIRKQL',
  '(': 'KYVBTDRGPKOPOTPYR]T`Vb', ')': 'KYNBPDRGTKUPUTTYR]P`Nb', '*': 'JZRLRX RMOWU RWOMU', '+': 'E_RIR[ RIR[R',
  ',': 'NVSWRXQWRVSWSYQ[', '-': 'KYMRWR', '.': 'NVRVQWRXSWRV', '/': 'G][BIb',
  0: 'H\\QFNGLJKOKRLWNZQ[S[VZXWYRYOXJVGSFQF', 1: 'H\\NJPISFS[', 2: 'H\\LKLJMHNGPFTFVGWHXJXLWNUQK[Y[',
  3: 'H\\MFXFRNUNWOXPYSYUXXVZS[P[MZLYKW', 4: 'H\\UFKTZT RUFU[', 5: 'H\\WFMFLOMNPMSMVNXPYSYUXXVZS[P[MZLYKW',
  6: 'H\\XIWGTFRFOGMJLOLTMXOZR[S[VZXXYUYTXQVOSNRNOOMQLT', 7: 'H\\YFO[ RKFYF',
  8: 'H\\PFMGLILKMMONSOVPXRYTYWXYWZT[P[MZLYKWKTLRNPQOUNWMXKXIWGTFPF',
  9: 'H\\XMWPURRSQSNRLPKMKLLINGQFRFUGWIXMXRWWUZR[P[MZLX', ':': 'NVROQPRQSPRO RRVQWRXSWRV',
  ';': 'NVROQPRQSPRO RSWRXQWRVSWSYQ[', '<': 'F^ZIJRZ[', '=': 'E_IO[O RIU[U', '>': 'F^JIZRJ[',
  '?': 'I[LKLJMHNGPFTFVGWHXJXLWNVORQRT RRYQZR[SZRY',
  '@': 'E`WNVLTKQKOLNMMPMSNUPVSVUUVS RQKOMNPNSOUPV RWKVSVUXVZV\\T]Q]O\\L[JYHWGTFQFNGLHJJILHOHRIUJWLYNZQ[T[WZYYZX RXKWSWUXV',
  A: 'I[RFJ[ RRFZ[ RMTWT', B: 'G\\KFK[ RKFTFWGXHYJYLXNWOTP RKPTPWQXRYTYWXYWZT[K[',
  C: 'H]ZKYIWGUFQFOGMILKKNKSLVMXOZQ[U[WZYXZV', D: 'G\\KFK[ RKFRFUGWIXKYNYSXVWXUZR[K[', E: 'H[LFL[ RLFYF RLPTP RL[Y[',
  F: 'HZLFL[ RLFYF RLPTP', G: 'H]ZKYIWGUFQFOGMILKKNKSLVMXOZQ[U[WZYXZVZS RUSZS', H: 'G]KFK[ RYFY[ RKPYP', I: 'NVRFR[',
  J: 'JZVFVVUYTZR[P[NZMYLVLT', K: 'G\\KFK[ RYFKT RPOY[', L: 'HYLFL[ RL[X[', M: 'F^JFJ[ RJFR[ RZFR[ RZFZ[',
  N: 'G]KFK[ RKFY[ RYFY[', O: 'G]PFNGLIKKJNJSKVLXNZP[T[VZXXYVZSZNYKXIVGTFPF', P: 'G\\KFK[ RKFTFWGXHYJYMXOWPTQKQ',
  Q: 'G]PFNGLIKKJNJSKVLXNZP[T[VZXXYVZSZNYKXIVGTFPF RSWY]', R: 'G\\KFK[ RKFTFWGXHYJYLXNWOTPKP RRPY[',
  S: 'H\\YIWGTFPFMGKIKKLMMNOOUQWRXSYUYXWZT[P[MZKX', T: 'JZRFR[ RKFYF', U: 'G]KFKULXNZQ[S[VZXXYUYF',
  V: 'I[JFR[ RZFR[', W: 'F^HFM[ RRFM[ RRFW[ R\\FW[', X: 'H\\KFY[ RYFK[', Y: 'I[JFRPR[ RZFRP',
  Z: 'H\\YFK[ RKFYF RK[Y[', '[': 'KYOBOb RPBPb ROBVB RObVb', '\\': 'KYKFY^', ']': 'KYTBTb RUBUb RNBUB RNbUb',
  '^': 'JZRDJR RRDZR', '_': 'I[Ib[b', '`': 'NVSKQMQORPSORNQO', a: 'I\\XMX[ RXPVNTMQMONMPLSLUMXOZQ[T[VZXX',
  b: 'H[LFL[ RLPNNPMSMUNWPXSXUWXUZS[P[NZLX', c: 'I[XPVNTMQMONMPLSLUMXOZQ[T[VZXX',
  d: 'I\\XFX[ RXPVNTMQMONMPLSLUMXOZQ[T[VZXX', e: 'I[LSXSXQWOVNTMQMONMPLSLUMXOZQ[T[VZXX', f: 'MYWFUFSGRJR[ ROMVM',
  g: 'I\\XMX]W`VaTbQbOa RXPVNTMQMONMPLSLUMXOZQ[T[VZXX', h: 'I\\MFM[ RMQPNRMUMWNXQX[', i: 'NVQFRGSFREQF RRMR[',
  j: 'MWRFSGTFSERF RSMS^RaPbNb', k: 'IZMFM[ RWMMW RQSX[', l: 'NVRFR[', m: 'CaGMG[ RGQJNLMOMQNRQR[ RRQUNWMZM\\N]Q][',
  n: 'I\\MMM[ RMQPNRMUMWNXQX[', o: 'I\\QMONMPLSLUMXOZQ[T[VZXXYUYSXPVNTMQM',
  p: 'H[LMLb RLPNNPMSMUNWPXSXUWXUZS[P[NZLX', q: 'I\\XMXb RXPVNTMQMONMPLSLUMXOZQ[T[VZXX', r: 'KXOMO[ ROSPPRNTMWM',
  s: 'J[XPWNTMQMNNMPNRPSUTWUXWXXWZT[Q[NZMX', t: 'MYRFRWSZU[W[ ROMVM', u: 'I\\MMMWNZP[S[UZXW RXMX[',
  v: 'JZLMR[ RXMR[', w: 'G]JMN[ RRMN[ RRMV[ RZMV[', x: 'J[MMX[ RXMM[', y: 'JZLMR[ RXMR[P_NaLbKb',
  z: 'J[XMM[ RMMXM RM[X[', '{': 'KYTBRCQDPFPHQJRKSMSOQQ RRCQEQGRISJTLTNSPORSTTVTXSZR[Q]Q_Ra RQSSUSWRYQZP\\P^Q`RaTb',
  '|': 'NVRBRb', '}': 'KYPBRCSDTFTHSJRKQMQOSQ RRCSESGRIQJPLPNQPURQTPVPXQZR[S]S_Ra RSSQUQWRYSZT\\T^S`RaPb',
  '~': 'F^IUISJPLONOPPTSVTXTZS[Q RISJQLPNPPQTTVUXUZT[Q[O',
  '²': 'LXNINHOGPGQFSFTGUGVHVJUKTMNSVS', '³': 'LXOFVFRKTKUKVLVNVOVQTRSSQSORNQNP', '°': 'MWUITKRLPKOIPGRFTGUI', '±': 'E_RFRV RJNZN RJZZZ', '–': 'I[JRZR', '·': 'NVRQQRRSSRRQ',
};

export interface Glyph {
  readonly left: number;
  readonly right: number;
  /** Lines of points [x, y]. */
  readonly strokes: readonly (readonly (readonly [number, number])[])[];
}

export const capTop = -12;
export const baseline = 9;
export const capHeight = baseline - capTop;

const blank: Glyph = { left: -6, right: 6, strokes: [] };
const decoded = new Map<string, Glyph>();

/** A blank for characters that the face does not have. */
export function glyphOf(character: string): Glyph {
  const known = decoded.get(character);
  if (known !== undefined) return known;
  const code = glyphs[character];
  const glyph = code === undefined ? blank : decode(code);
  decoded.set(character, glyph);
  return glyph;
}

function decode(code: string): Glyph {
  const numberAt = (place: number) => code.charCodeAt(place) - 'R'.charCodeAt(0);
  const strokes: [number, number][][] = [[]];
  for (let place = 2; place < code.length; place += 2) {
    if (code[place] === ' ') strokes.push([]);
    else strokes.at(-1)!.push([numberAt(place), numberAt(place + 1)]);
  }
  return { left: numberAt(0), right: numberAt(1), strokes };
}
