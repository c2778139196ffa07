// How others see one: picture, time zone, do not disturb.
import { ask, session, took, type User } from './account';
import { isQuiet } from './util/quiet';

const SIDE = 256; // pixels of a picture

export const pictureUrl = (id: string, version: number): string =>
  `/api/v1/users/${encodeURIComponent(id)}/picture?v=${version}`;

/** The middle of a picture as a square of SIDE pixels; small, and without what a camera writes into it. */
async function squared(file: Blob): Promise<Blob> {
  const bitmap = await createImageBitmap(file);
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  bitmap.close();
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/webp', 0.86),
  );
}

export async function setPicture(file: Blob): Promise<void> {
  took(await ask<User>('PUT', 'me/picture', await squared(file)));
}

export async function dropPicture(): Promise<void> {
  took(await ask<User>('DELETE', 'me/picture'));
}

export async function changeProfile(change: { name?: string; language?: string; zone?: string }): Promise<void> {
  took(await ask<User>('PATCH', 'me', change));
}

/** Until then, ms since 1970; null: may be disturbed again. */
export async function doNotDisturb(until: number | null): Promise<void> {
  took(await ask<User>('PATCH', 'me', { quiet_until: until ?? -1 }));
}

/** Whether one is not to be disturbed now. */
export const quiet = (): boolean => isQuiet(session.value?.user.quiet_until ?? 0);
