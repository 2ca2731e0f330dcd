import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryTree } from '../contract/tree.fixture.ts';
import { askedVariables } from './asked.ts';

describe('the variables that an image asks for', () => {
  const files = {
    'exports/manifest.json': JSON.stringify({
      defaultValues: { PORT: 1, LISTEN: 'x', NAME: 'never' },
      renameFiles: { '/etc/a': '/etc/$WHERE' },
      installedFilesTemplate: ['/etc/a'],
    }),
    'exports/config.json.template': '{"a": "$PORT $UUID $MESSAGE"}',
    'exports/service.template': 'ExecStart=$EXEC_START\nPIDFile=$PIDFILE\nUser=$RUN_AS $MESSAGE $$MAINPID',
    'exports/tmpfiles.template': 'd $STATE_DIRECTORY/$SUB',
    'exports/hostfs/etc/a': '$IN_FILE',
    'exports/hostfs/etc/b': '$NOT_A_TEMPLATE',
  };

  it('are told by whether they have a default', () => {
    const { defaults, required } = askedVariables(memoryTree(files));
    assert.deepEqual(
      [...defaults],
      [
        ['LISTEN', 'x'],
        ['PORT', '1'],
      ],
    );
    assert.deepEqual(required, ['IN_FILE', 'MESSAGE', 'RUN_AS', 'SUB', 'WHERE']);
  });

  it('are those of host files alone when there is no service', () => {
    const manifest = JSON.stringify({ noContainerService: true, installedFilesTemplate: ['/etc/a'] });
    assert.deepEqual(askedVariables(memoryTree({ ...files, 'exports/manifest.json': manifest })).required, ['IN_FILE']);
  });

  it('are also those of host files that are listed under the name that they are renamed to', () => {
    const manifest = JSON.stringify({
      renameFiles: { '/etc/a': '$CONF_DIRECTORY/moved' },
      installedFilesTemplate: ['/etc/moved'],
    });
    const { required } = askedVariables(memoryTree({ ...files, 'exports/manifest.json': manifest }));
    assert.ok(required.includes('IN_FILE'), required.join(' '));
  });

  it('are none of an image without exports, nor of a configuration that is no template', () => {
    assert.deepEqual(askedVariables(memoryTree({})), { defaults: new Map(), required: [] });
    assert.deepEqual(askedVariables(memoryTree({ 'exports/config.json': '{"a": "$X"}' })).required, []);
  });
});
