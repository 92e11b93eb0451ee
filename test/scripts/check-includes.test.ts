// The include fences must catch each kind of trespass: a check that cannot fail guards nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

const kScript = resolve(__dirname, '../../scripts/check-includes.mjs');

const kSound = {
  'CMakeLists.txt':
    'saferoute_room(engine SOURCES\n  engine.cc\n)\nsaferoute_room(model LINK engine SOURCES weights.cc)\n',
  'test/native/CMakeLists.txt': 'saferoute_test(engine SOURCES\n  engine_test.cc\n)\n',
  'native/engine/engine.h': '#include <vector>\n',
  'native/engine/engine.cc': '#include "engine/engine.h"\n',
  'native/model/weights.cc': '#include "engine/engine.h"\n',
  'test/native/engine/engine_test.cc': '#include "engine/engine.h"\n#include <gtest/gtest.h>\n',
};

describe('scripts/check-includes.mjs', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'saferoute-fences-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function check(files: Record<string, string>, ...flags: string[]) {
    for (const [file, text] of Object.entries({ ...kSound, ...files })) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    return spawnSync(process.execPath, [kScript, `--root=${root}`, ...flags], { encoding: 'utf8' });
  }

  it('passes a sound tree', () => {
    const { status, stderr } = check({}, '--compile');
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });

  const trespasses: [string, string, string, RegExp][] = [
    ['a room that looks up', 'native/engine/engine.h', '#include "model/weights.h"\n', /is not a header of ours/],
    ['an unknown room', 'native/misc/misc.h', '#include "engine/engine.h"\n', /native\/misc is not a room/],
    [
      'N-API outside the addon',
      'native/engine/engine.h',
      '#include <napi.h>\n',
      /<napi\.h> belongs to native\/addon\//,
    ],
    [
      'ONNX Runtime headers',
      'native/model/spec.h',
      '#include <onnxruntime_c_api.h>\n',
      /belongs to test\/native\/ort\//,
    ],
    ['CUDA headers', 'native/engine/engine.h', '#include <cuda_runtime.h>\n', /belongs to native\/cuda\//],
    [
      'an include beside the file',
      'native/engine/engine.cc',
      '#include "engine.h"\n',
      /includes are rooted at native\//,
    ],
    ['a source that CMake does not compile', 'native/engine/stray.cc', '\n', /stray\.cc: not in the source list/],
    ['a test that CMake does not compile', 'test/native/engine/stray_test.cc', '\n', /not in the source list/],
    ['a kernel that CMake does not compile', 'native/cuda/stray.cu', '\n', /stray\.cu: not in the source list of cuda/],
  ];
  for (const [what, file, text, message] of trespasses) {
    it(`refuses ${what}`, () => {
      const { status, stderr } = check({ [file]: text });
      assert.match(stderr, message);
      assert.equal(status, 1);
    });
  }

  it('refuses a room that includes a room above it', () => {
    const { status, stderr } = check({
      'native/model/weights.h': '#include <vector>\n',
      'native/engine/engine.h': '#include "model/weights.h"\n',
    });
    assert.match(stderr, /engine\.h:1: engine may not include "model\/weights\.h"; it may include: nothing of ours/);
    assert.equal(status, 1);
  });

  it('refuses a header that does not compile alone', () => {
    const { status, stderr } = check(
      { 'native/engine/engine.h': 'inline std::string name() { return {}; }\n' },
      '--compile',
    );
    assert.match(stderr, /native\/engine\/engine\.h: does not compile alone/);
    assert.equal(status, 1);
  });
});
