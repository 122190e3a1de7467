-- The tables of version 2, as its projects hold them.
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value INTEGER NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE conversation (
	seq INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	external_id VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	turns TEXT NOT NULL, 
	split VARCHAR NOT NULL, 
	attributes TEXT NOT NULL, 
	n_turns INTEGER NOT NULL, 
	n_chars INTEGER NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE INDEX ix_conversation_external_id ON conversation (external_id);
CREATE INDEX ix_conversation_split ON conversation (split);
CREATE INDEX ix_conversation_fingerprint ON conversation (fingerprint);
CREATE TABLE near_duplicate (
	band BIGINT NOT NULL, 
	"group" VARCHAR NOT NULL, 
	split VARCHAR NOT NULL, 
	PRIMARY KEY (band)
)
 WITHOUT ROWID;
CREATE TABLE system (
	name VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	parent VARCHAR, 
	model VARCHAR, 
	settings_hash VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE summary (
	seq INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	conversation_id VARCHAR NOT NULL, 
	system VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	parent_id VARCHAR, 
	PRIMARY KEY (seq), 
	UNIQUE (conversation_id, system), 
	UNIQUE (id)
);
CREATE INDEX ix_summary_system_seq ON summary (system, seq);
CREATE INDEX ix_summary_parent_id ON summary (parent_id);
CREATE TABLE analysis (
	seq INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	summary_id VARCHAR NOT NULL, 
	detector VARCHAR NOT NULL, 
	settings_hash VARCHAR NOT NULL, 
	taxonomy_hash VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	reason VARCHAR, 
	raw TEXT, 
	at VARCHAR NOT NULL, 
	conversation INTEGER NOT NULL, 
	system VARCHAR NOT NULL, 
	split VARCHAR NOT NULL, 
	n_findings INTEGER NOT NULL, 
	current BOOLEAN NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE INDEX ix_analysis_summary ON analysis (summary_id, detector);
CREATE INDEX ix_analysis_current ON analysis (system, detector, conversation) WHERE current = 1;
CREATE TABLE finding (
	seq INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	analysis_id VARCHAR NOT NULL, 
	category VARCHAR NOT NULL, 
	quote TEXT, 
	start INTEGER, 
	"end" INTEGER, 
	evidence TEXT NOT NULL, 
	explanation TEXT NOT NULL, 
	confidence FLOAT, 
	summary_id VARCHAR NOT NULL, 
	conversation INTEGER NOT NULL, 
	system VARCHAR NOT NULL, 
	detector VARCHAR NOT NULL, 
	split VARCHAR NOT NULL, 
	current BOOLEAN NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE INDEX ix_finding_analysis_id ON finding (analysis_id);
CREATE INDEX ix_finding_summary_id ON finding (summary_id);
CREATE INDEX ix_finding_current ON finding (system, detector, conversation, category, confidence) WHERE current = 1;
CREATE TABLE block (
	part VARCHAR NOT NULL, 
	block INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	PRIMARY KEY (part, block)
);
CREATE TABLE fact (
	seq INTEGER NOT NULL, 
	conversation_id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	evidence TEXT NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (conversation_id, kind, text)
);
CREATE TABLE edit (
	seq INTEGER NOT NULL, 
	summary_id VARCHAR NOT NULL, 
	finding_id VARCHAR, 
	start INTEGER NOT NULL, 
	"end" INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE INDEX ix_edit_finding_id ON edit (finding_id);
CREATE INDEX ix_edit_summary_id ON edit (summary_id);
CREATE TABLE revision (
	summary_id VARCHAR NOT NULL, 
	editor VARCHAR NOT NULL, 
	settings_hash VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	findings TEXT NOT NULL, 
	reason VARCHAR, 
	raw TEXT, 
	change FLOAT NOT NULL, 
	flagged BOOLEAN NOT NULL, 
	at VARCHAR NOT NULL, 
	system VARCHAR NOT NULL, 
	conversation INTEGER NOT NULL, 
	split VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	risk INTEGER NOT NULL, 
	decision VARCHAR NOT NULL, 
	current BOOLEAN NOT NULL, 
	PRIMARY KEY (summary_id)
);
CREATE INDEX ix_revision_conversation ON revision (system, conversation) WHERE current = 1;
CREATE INDEX ix_revision_queue ON revision (system, decision, risk, outcome, conversation, split) WHERE current = 1;
CREATE TABLE "check" (
	seq INTEGER NOT NULL, 
	summary_id VARCHAR NOT NULL, 
	finding_id VARCHAR, 
	verifier VARCHAR NOT NULL, 
	result VARCHAR NOT NULL, 
	reason TEXT NOT NULL, 
	current BOOLEAN NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE INDEX ix_check_finding_id ON "check" (finding_id);
CREATE INDEX ix_check_summary_id ON "check" (summary_id);
CREATE TABLE score (
	seq INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	subjects TEXT NOT NULL, 
	judge VARCHAR NOT NULL, 
	"order" INTEGER NOT NULL, 
	repeat INTEGER NOT NULL, 
	value FLOAT, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE INDEX ix_score_kind ON score (kind);
CREATE TABLE decision (
	seq INTEGER NOT NULL, 
	summary_id VARCHAR NOT NULL, 
	annotator VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	text TEXT, 
	step VARCHAR NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (seq)
);
CREATE INDEX ix_decision_summary_id ON decision (summary_id);
CREATE INDEX ix_decision_step ON decision (step);
CREATE TABLE step (
	seq INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	system VARCHAR NOT NULL, 
	annotator VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	summaries INTEGER NOT NULL, 
	undoes VARCHAR, 
	undone BOOLEAN NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE INDEX ix_step_system_seq ON step (system, seq);
CREATE TABLE episode (
	id VARCHAR NOT NULL, 
	scenario_id VARCHAR NOT NULL, 
	system VARCHAR NOT NULL, 
	customer VARCHAR NOT NULL, 
	seed INTEGER NOT NULL, 
	turns TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE INDEX ix_episode_scenario_id ON episode (scenario_id);
CREATE TABLE call (
	"key" VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	task VARCHAR NOT NULL, 
	conversation VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	taxonomy VARCHAR NOT NULL, 
	repeat INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	prompt_hash VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	body TEXT, 
	reply TEXT, 
	finish_reason VARCHAR, 
	prompt_tokens INTEGER NOT NULL, 
	completion_tokens INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
)
 WITHOUT ROWID;
CREATE INDEX ix_call_model ON call (model);
CREATE TABLE ledger (
	seq INTEGER NOT NULL, 
	at VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	task VARCHAR NOT NULL, 
	system VARCHAR NOT NULL, 
	calls INTEGER NOT NULL, 
	failed INTEGER NOT NULL, 
	bytes INTEGER NOT NULL, 
	masked BOOLEAN NOT NULL, 
	prompt_tokens INTEGER NOT NULL, 
	completion_tokens INTEGER NOT NULL, 
	cost FLOAT, 
	PRIMARY KEY (seq)
);
CREATE TABLE version (
	hash VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	content TEXT NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (hash)
);
CREATE TABLE job (
	seq INTEGER NOT NULL, 
	id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	arguments TEXT NOT NULL, 
	command TEXT NOT NULL, 
	writes TEXT NOT NULL, 
	status VARCHAR NOT NULL, 
	phase VARCHAR NOT NULL, 
	done INTEGER NOT NULL, 
	total INTEGER NOT NULL, 
	rate FLOAT, 
	message TEXT NOT NULL, 
	result TEXT, 
	error TEXT, 
	hint TEXT, 
	pid INTEGER, 
	resumes VARCHAR, 
	follows VARCHAR, 
	created VARCHAR NOT NULL, 
	started VARCHAR, 
	heartbeat VARCHAR NOT NULL, 
	asked_to_stop VARCHAR, 
	ended VARCHAR, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
CREATE INDEX ix_job_status ON job (status);
CREATE TABLE unwritten (
	conversation_id VARCHAR NOT NULL, 
	system VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	raw TEXT NOT NULL, 
	at VARCHAR NOT NULL, 
	PRIMARY KEY (conversation_id, system)
)
 WITHOUT ROWID;
