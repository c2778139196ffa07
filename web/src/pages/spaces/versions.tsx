// The contents a file has had: looked at, saved, brought back.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Files } from '../../spaces/files';
import { contentUrl, type FileVersion, listVersions, type SpaceFile } from '../../spaces/rest';
import { dateTime, fileSize, text } from '../../text';
import { Button, IconButton } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { save } from './preview';
import { told } from './told';

export function VersionsDialog({ files, file, writes, nameOf, onClose }: {
  files: Files;
  file: SpaceFile;
  writes: boolean;
  nameOf(id: string): string;
  onClose(): void;
}) {
  const t = text.value.files;
  const [versions, setVersions] = useState<readonly FileVersion[]>([]);
  const picker = useRef<HTMLInputElement>(null);
  const load = () => told(listVersions(file.id).then(setVersions));
  useEffect(() => void load(), []);
  const restore = async (version: number) => {
    if (await told(files.change(file, { version }))) void load();
  };
  return (
    <Dialog
      title={t.versionsTitle(file.name)}
      onClose={onClose}
      testid="versions-dialog"
      foot={
        writes && (
          <>
            <Button icon="upload" onClick={() => picker.current?.click()}>
              {t.newVersion}
            </Button>
            <input
              ref={picker}
              type="file"
              hidden
              data-testid="version-input"
              onChange={(event) => {
                void files.upload([...(event.currentTarget.files ?? [])].slice(0, 1), file).then(load);
                event.currentTarget.value = '';
              }}
            />
          </>
        )
      }
    >
      <ul class="versions" data-testid="versions">
        {versions.map(({ version, size, author, created }, i) => (
          <li key={version} data-testid={`version-${version}`}>
            <span class="person-words grow">
              <span>{i === 0 ? t.versionNow(version) : t.version(version)}</span>
              <small class="quiet ellipsis">{[fileSize(size), nameOf(author), dateTime(created)].filter(Boolean).join(' · ')}</small>
            </span>
            <IconButton
              small
              icon="download"
              tip="none"
              label={t.download}
              onClick={() => save({ name: file.name, size, url: contentUrl(file.id, version) })}
            />
            {writes && i > 0 && (
              <Button data-testid={`restore-${version}`} onClick={() => void restore(version)}>
                {t.restore}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
