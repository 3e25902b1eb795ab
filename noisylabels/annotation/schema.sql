-- The project file. Tables marked "kept" are append-only: triggers refuse changes and deletions.

CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT; -- value: JSON

CREATE TABLE field (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  case_id TEXT NOT NULL, -- the case of the dataset folder it is, or is cut from
  parent TEXT, -- name of the field that this quarter was cut from
  plate TEXT, well TEXT, -- as its name tells them
  image_sha256 TEXT NOT NULL, -- of the image file when the project was made: another picture is noticed
  row_min INTEGER NOT NULL, column_min INTEGER NOT NULL, row_max INTEGER NOT NULL, column_max INTEGER NOT NULL,
  lot REAL NOT NULL -- drawn once, uniform in [0, 1): random order, and the random stratum (lot < random_share)
) STRICT;

CREATE TABLE priority (
  field INTEGER NOT NULL REFERENCES field, strategy TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (field, strategy)
) STRICT;

CREATE TABLE person (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, party TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE link (hash TEXT PRIMARY KEY, person INTEGER NOT NULL REFERENCES person, created TEXT NOT NULL, spent TEXT) STRICT;
CREATE TABLE cookie (hash TEXT PRIMARY KEY, person INTEGER NOT NULL REFERENCES person, created TEXT NOT NULL) STRICT;

CREATE TABLE answer ( -- kept: what a keyed action was answered, so that it is never done twice
  person INTEGER NOT NULL REFERENCES person, key TEXT NOT NULL, action TEXT NOT NULL, result TEXT NOT NULL,
  PRIMARY KEY (person, key)
) STRICT;

CREATE TABLE log (id INTEGER PRIMARY KEY, created TEXT NOT NULL, person TEXT NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL) STRICT; -- kept

CREATE TABLE task (
  id INTEGER PRIMARY KEY,
  token TEXT NOT NULL UNIQUE,
  person INTEGER NOT NULL REFERENCES person,
  field INTEGER NOT NULL REFERENCES field,
  number INTEGER NOT NULL, -- the person's n-th task
  start TEXT NOT NULL, -- what the person began from: a label set of the dataset, "blank", or "accepted" (somebody's map)
  strategy TEXT NOT NULL, -- how the queue came to it, or "chosen"
  stratum TEXT NOT NULL, -- "random" or "queue"
  repeats INTEGER REFERENCES task, -- the task that this one repeats, unknown to the person
  created TEXT NOT NULL,
  UNIQUE (person, number)
) STRICT;
CREATE INDEX task_field ON task (field);

CREATE TABLE revision ( -- kept
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL REFERENCES task,
  parent INTEGER REFERENCES revision,
  origin TEXT NOT NULL, -- "person", "blank", "cip", "cdl:<sha256 of the checkpoint>", ...
  tool TEXT NOT NULL,
  active_ms INTEGER NOT NULL,
  created TEXT NOT NULL,
  sha256 TEXT NOT NULL, -- of the raw (row, column) uint8 bytes
  label_map BLOB NOT NULL -- zlib
) STRICT;
CREATE INDEX revision_task ON revision (task);
CREATE INDEX revision_parent ON revision (parent);

CREATE TABLE move ( -- kept: where the head of a task went; the last one is the head
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL REFERENCES task,
  revision INTEGER NOT NULL REFERENCES revision,
  kind TEXT NOT NULL, -- start, commit, undo, redo, adopt
  active_ms INTEGER NOT NULL,
  created TEXT NOT NULL
) STRICT;
CREATE INDEX move_task ON move (task, id);
CREATE INDEX move_revision ON move (revision);

CREATE TABLE closing ( -- kept: the last one is the state of a task; none means open
  id INTEGER PRIMARY KEY,
  task INTEGER NOT NULL REFERENCES task,
  state TEXT NOT NULL, -- open, accepted, skipped, cannot_judge; returned, released (by the owner)
  revision INTEGER REFERENCES revision,
  active_ms INTEGER NOT NULL,
  comment TEXT NOT NULL,
  created TEXT NOT NULL
) STRICT;
CREATE INDEX closing_task ON closing (task, id);

CREATE TABLE job (
  id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, bundle TEXT NOT NULL,
  person INTEGER NOT NULL REFERENCES person, task INTEGER REFERENCES task, parent INTEGER REFERENCES revision,
  state TEXT NOT NULL, created TEXT NOT NULL, ended TEXT, exit_code INTEGER,
  revision INTEGER REFERENCES revision, conflict INTEGER NOT NULL DEFAULT 0, error TEXT,
  score TEXT, curve TEXT, -- JSON: what a training found out
  replaced INTEGER -- whether the owner took the new weights; null: not asked yet
) STRICT;

CREATE TABLE network ( -- kept: all weights that a bundle ever had here
  id INTEGER PRIMARY KEY, bundle TEXT NOT NULL, version INTEGER NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL,
  created TEXT NOT NULL, job INTEGER REFERENCES job, n_fields INTEGER, score TEXT, UNIQUE (bundle, version)
) STRICT;

CREATE TABLE network_use ( -- kept: the last one of a bundle is in use
  id INTEGER PRIMARY KEY, network INTEGER NOT NULL REFERENCES network, person TEXT NOT NULL, created TEXT NOT NULL
) STRICT;

CREATE TABLE box_task (
  id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, person INTEGER NOT NULL REFERENCES person,
  field INTEGER NOT NULL REFERENCES field, number INTEGER NOT NULL, UNIQUE (person, field)
) STRICT;

CREATE TABLE box_action ( -- kept: the last one of a box is the box
  id INTEGER PRIMARY KEY, box_task INTEGER NOT NULL REFERENCES box_task, box TEXT NOT NULL,
  action TEXT NOT NULL, -- draw, change, delete
  class_index INTEGER, row_min INTEGER, column_min INTEGER, row_max INTEGER, column_max INTEGER,
  active_ms INTEGER NOT NULL, created TEXT NOT NULL
) STRICT;
CREATE INDEX box_action_task ON box_action (box_task, id);

CREATE TABLE box_closing ( -- kept
  id INTEGER PRIMARY KEY, box_task INTEGER NOT NULL REFERENCES box_task, state TEXT NOT NULL,
  active_ms INTEGER NOT NULL, created TEXT NOT NULL
) STRICT;

CREATE TABLE item ( -- kept: what is rated, as it was when the study was planned
  id INTEGER PRIMARY KEY, field INTEGER NOT NULL REFERENCES field, method TEXT NOT NULL, -- a code: `annotate unblind` reads it
  sha256 TEXT NOT NULL, label_map BLOB NOT NULL, UNIQUE (field, method)
) STRICT;

CREATE TABLE trial ( -- kept: drawn before the first score
  id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, person INTEGER NOT NULL REFERENCES person,
  number INTEGER NOT NULL, block TEXT NOT NULL, -- training, main, repeat
  subset INTEGER NOT NULL, -- 0 in the training block
  left_item INTEGER NOT NULL REFERENCES item, right_item INTEGER NOT NULL REFERENCES item,
  UNIQUE (person, number)
) STRICT;

CREATE TABLE score ( -- kept: the last one of a trial counts
  id INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trial, left_score INTEGER NOT NULL, right_score INTEGER NOT NULL,
  active_ms INTEGER NOT NULL, comment TEXT NOT NULL, created TEXT NOT NULL,
  unblinded INTEGER NOT NULL -- whether the study had been unblinded before
) STRICT;
CREATE INDEX score_trial ON score (trial, id);

CREATE TABLE trial_closing ( -- kept: the last one is the state of a trial; none means open
  id INTEGER PRIMARY KEY, trial INTEGER NOT NULL REFERENCES trial, state TEXT NOT NULL, -- scored, cannot_judge, skipped
  active_ms INTEGER NOT NULL, comment TEXT NOT NULL, created TEXT NOT NULL -- of a score: 0 and "", they stand there
) STRICT;
CREATE INDEX trial_closing_trial ON trial_closing (trial, id);

-- What the kept rows add up to.

CREATE VIEW task_now AS SELECT
  task.id AS task,
  (SELECT revision FROM move WHERE move.task = task.id ORDER BY move.id DESC LIMIT 1) AS head,
  coalesce((SELECT state FROM closing WHERE closing.task = task.id ORDER BY closing.id DESC LIMIT 1), 'open') AS state,
  (SELECT revision FROM closing WHERE closing.task = task.id ORDER BY closing.id DESC LIMIT 1) AS closed_at,
  (SELECT max(id) FROM closing WHERE closing.task = task.id) AS closing, -- the order of closings, whatever the clock said
  (SELECT max(created) FROM closing WHERE closing.task = task.id) AS closed
FROM task;

CREATE VIEW accepted_now AS -- the one map of a field that counts: the newest accepted; hidden repeats are measurements, not maps
SELECT field, task, revision, person FROM (
  SELECT task.field, task.id AS task, closed_at AS revision, task.person, row_number() OVER (PARTITION BY field ORDER BY closing DESC) AS place
  FROM task JOIN task_now ON task_now.task = task.id WHERE state = 'accepted' AND repeats IS NULL
) WHERE place = 1;

CREATE VIEW field_now AS -- accepted if anybody's map counts, else the state of the newest task; null when never handed out
SELECT field.id AS field,
  CASE WHEN accepted_now.task IS NOT NULL THEN 'accepted' ELSE (
    SELECT state FROM task_now WHERE task_now.task = (SELECT max(id) FROM task WHERE task.field = field.id AND repeats IS NULL)
  ) END AS state,
  coalesce(accepted_now.person, (SELECT person FROM task WHERE id = (SELECT max(id) FROM task WHERE task.field = field.id AND repeats IS NULL))) AS person,
  (SELECT count(*) FROM task WHERE task.field = field.id) AS n_tasks
FROM field LEFT JOIN accepted_now ON accepted_now.field = field.id;

CREATE VIEW task_time AS -- every stretch of active work on a task
  SELECT task, active_ms FROM revision UNION ALL SELECT task, active_ms FROM move UNION ALL SELECT task, active_ms FROM closing;

CREATE VIEW box_task_now AS SELECT
  box_task.id AS box_task,
  coalesce((SELECT state FROM box_closing b WHERE b.box_task = box_task.id ORDER BY b.id DESC LIMIT 1), 'open') AS state
FROM box_task;

CREATE VIEW box_task_time AS
  SELECT box_task, active_ms, created FROM box_action UNION ALL SELECT box_task, active_ms, created FROM box_closing;

CREATE VIEW trial_now AS SELECT -- the score that counts: the newest, unless the trial was said not to be judgeable afterwards
  trial.id AS trial, closing.state AS state,
  CASE WHEN closing.state = 'scored' THEN (SELECT max(id) FROM score WHERE score.trial = trial.id) END AS score
FROM trial JOIN (
  SELECT id AS trial, coalesce(
    (SELECT state FROM trial_closing c WHERE c.trial = trial.id ORDER BY c.id DESC LIMIT 1), 'open') AS state FROM trial
) closing ON closing.trial = trial.id;

CREATE VIEW trial_time AS
  SELECT trial, active_ms, created FROM score UNION ALL
  SELECT trial, active_ms, created FROM trial_closing WHERE state != 'scored';
