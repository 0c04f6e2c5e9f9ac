import { isAbsolute, relative, sep } from 'node:path';
import { encodeMp3, loadAudio } from '../audio/index.js';
import { rootFolder } from './context.js';
import { inKernel } from './display.js';
import { type DeskAddress, kernelServer } from './kernelServer.js';
import type { Playback, SoundSource } from './playback.js';

/** kbit/s of a sound that lies inside a page. */
const KILOBITS = 48;

/** Whether a reader is at the other end: in Jupyter or VS Code, not in the headless runner (it speaks over Node's IPC). */
export function isLive(): boolean {
  return inKernel() && process.send === undefined;
}

/**
 * A recording to play along with a figure. It is played from the running kernel, or as a file of the project's folder.
 * @param path absolute
 * @param options.embed puts the sound into the page itself, as MP3: for short ones that may be passed on
 */
export async function playback(
  path: string,
  label: string,
  options: { readonly embed?: boolean } = {},
): Promise<Playback> {
  const source = { ...fileSource(path), ...(await liveSource(path)) };
  if (!options.embed) return { label, source };
  const mp3 = await encodeMp3(await loadAudio(path), KILOBITS);
  return { label, source: { sound: { type: 'audio/mpeg', base64: Buffer.from(mp3).toString('base64') } } };
}

async function liveSource(path: string): Promise<SoundSource> {
  if (!isLive()) return {};
  const server = await kernelServer();
  const choose = (): never => {
    throw new Error('There is nothing to choose here.');
  };
  const desk: DeskAddress = server.open({ files: [path], nChoices: 0, choose });
  return { address: server.soundAddress(desk, 0) };
}

/** The path below the project's folder; nothing for a file elsewhere. */
export function fileSource(path: string): SoundSource {
  const file = relative(rootFolder(), path);
  return file === '' || isAbsolute(file) || file.split(sep)[0] === '..' ? {} : { file: file.split(sep).join('/') };
}
