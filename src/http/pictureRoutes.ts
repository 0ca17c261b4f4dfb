/** Pictures over HTTP: which there are of a series, each of them, and all of an output as one volume. docs/exams.md lists the paths. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { encodePng, greyPicture, writeNifti } from '../../imaging/index.js';
import { examError, planeView, volumeOfPictures } from '../exams/index.js';
import type { ExamPicture, PictureSource } from '../exams/index.js';
import { httpError } from './errors.js';

const output = z.string().max(32).default('image');
const attempt = z.coerce.number().int().min(1).max(1e6).optional();
const listQuery = z.object({ attempt });
const imageQuery = z.object({ output, attempt, as: z.enum(['png', 'float32']).default('png') });
const volumeQuery = z.object({ output, contrast: z.coerce.number().int().min(0).default(0), repetition: z.coerce.number().int().min(0).default(0) });

/** Of the values of a volume; a page has to hold it as well. */
const mostVolumeBytes = 256 * 2 ** 20;

interface Names {
  readonly id: string;
  readonly seriesId: string;
  readonly number: string;
}

/** A plug-in of the HTTP application. */
export function pictureRoutes(pictures: PictureSource) {
  return (app: FastifyInstance): void => {
    const series = '/api/exams/:id/series/:seriesId';
    app.get<{ Params: Names }>(`${series}/images`, async ({ params, query }) => {
      const asked = listQuery.safeParse(query);
      if (!asked.success) throw httpError('CONUS_ERR_HTTP_REQUEST', 'another attempt');
      return { images: await pictures.list(params.id, params.seriesId, asked.data.attempt) };
    });
    app.get<{ Params: Names }>(`${series}/images/:number`, async ({ params, query }, reply) => {
      const asked = imageQuery.safeParse(query);
      const number = Number(params.number);
      if (!asked.success || !Number.isInteger(number) || number < 1) throw httpError('CONUS_ERR_HTTP_REQUEST', 'another image number, output, attempt or form');
      return sendPicture(reply, await pictures.picture(params.id, params.seriesId, asked.data.output, number, asked.data.attempt), asked.data.as);
    });
    app.get<{ Params: Names }>(`${series}/volume`, async ({ params, query }, reply) => {
      const asked = volumeQuery.safeParse(query);
      if (!asked.success) throw httpError('CONUS_ERR_HTTP_REQUEST', 'another output, contrast or repetition');
      const volume = await niftiOf(pictures, params.id, params.seriesId, asked.data);
      return reply.type('application/gzip').header('content-disposition', 'attachment; filename="volume.nii.gz"').send(Buffer.from(volume));
    });
  };
}

/** `float32`: the values themselves, [rows, columns], little-endian; what they are is in the headers. */
function sendPicture(reply: FastifyReply, { rows, columns, window, values, slice, output: kind, unit, geometry }: ExamPicture, as: 'png' | 'float32'): FastifyReply {
  reply.headers({
    'x-conus-rows': rows, 'x-conus-columns': columns, 'x-conus-slice': slice, 'x-conus-output': kind,
    'x-conus-window-centre': window.centre, 'x-conus-window-width': window.width, ...(unit !== undefined && { 'x-conus-unit': unit }),
    ...(geometry !== undefined && { 'x-conus-geometry': JSON.stringify(planeView(geometry)) }),
  });
  if (as === 'float32') return reply.type('application/octet-stream').send(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  return reply.type('image/png').send(Buffer.from(encodePng(greyPicture(values, rows, columns, window))));
}

/** Compressed beside everything else that the process does. */
async function niftiOf(pictures: PictureSource, examId: string, seriesId: string, asked: z.output<typeof volumeQuery>): Promise<Uint8Array> {
  const wanted = (await pictures.list(examId, seriesId)).filter((one) => one.output === asked.output && one.contrast === asked.contrast && one.repetition === asked.repetition);
  if (wanted.length === 0) throw examError('CONUS_ERR_IMAGE_GONE', 'an output without images');
  const nBytes = wanted.reduce((sum, { rows, columns }) => sum + 4 * rows * columns, 0);
  if (nBytes > mostVolumeBytes) throw examError('CONUS_ERR_IMAGE_NO_VOLUME', `${wanted.length} slices of ${nBytes} bytes`);
  const slices: ExamPicture[] = [];
  for (const { output: kind, number } of wanted) slices.push(await pictures.picture(examId, seriesId, kind, number));
  return promisify(gzip)(writeNifti(volumeOfPictures(slices)), { level: 1 });
}
