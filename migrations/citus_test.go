package migrations

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// refusal is something that Citus refuses in a schema it has distributed (schema-based
// sharding, Citus 12 and later), or that would hide such a thing. Stores' migrations do
// without it, so that a cell can become a Citus cluster.
type refusal struct {
	name     string
	why      string
	finds    func(statement) bool
	examples []string
}

// What Citus says of itself stands in its documentation ("SQL support and workarounds",
// "Schema-based sharding"), in issue 6989 of citusdata/citus, and in the errors of
// src/backend/distributed/commands; the rest came of a trial with a cluster.
var refusedByCitus = []refusal{
	{"trigger", "triggers are not supported on distributed tables",
		has(`create( or replace)?( constraint)? trigger`, `(enable|disable)( always| replica)? trigger`, `create event trigger`),
		[]string{"create trigger touched before update on products for each row execute function touch()", "create or replace constraint trigger t after insert on a for each row execute function f()", "alter table products disable trigger all"}},
	{"rule", "the rule system is not supported",
		has(`create( or replace)? rule`, `(enable|disable)( always| replica)? rule`),
		[]string{"create rule r as on insert to products do instead nothing"}},
	{"merge", "MERGE is supported for few combinations of tables, and not for those of a distributed schema with others",
		has(`^merge into`, `\(merge into`),
		[]string{"merge into prices p using import i on p.id = i.id when matched then delete", "with m as (merge into a using b on true when matched then delete returning 1) select 1"}},
	{"another schema", "foreign keys and joins across distributed schemas are refused; only functions and operator classes of ext are named with their schema",
		func(s statement) bool {
			return slices.ContainsFunc(s.qualifiers(), func(q string) bool { return q != "ext" }) || extTable.MatchString(s.spaced())
		},
		[]string{
			"create table a (id text references public.b (id))", "update products set title = t.title from other.titles as t", "insert into cell.outbox (kind) values ('x')",
			`select 1 from a join "s_7"."b" using (id)`, "create index i on s_1.a (id)", "delete from a using ext.y where true", "alter table ext.a add column b int",
		}},
	{"alter of several sub-commands", "an ALTER TABLE of several sub-commands is refused where one of them needs a mode of its own: give each its statement",
		func(s statement) bool { return s.is(`alter table`) && len(s.parts()) > 1 },
		[]string{"alter table a add column b int, add column c int", "alter table if exists only a alter column b set not null, drop column c"}},
	{"alter that is not passed on", "ALTER TABLE passes on ADD, DROP, SET and DROP NOT NULL or DEFAULT, VALIDATE CONSTRAINT, RENAME, SET and RESET of storage, row-level security, ATTACH, DETACH and TYPE only",
		func(s statement) bool {
			return s.is(`alter table`) && slices.ContainsFunc(s.parts(), func(p string) bool { return !passedOn.MatchString(p) })
		},
		[]string{"alter table a cluster on i", "alter table a alter column b set storage external", "alter table a alter column b add generated always as identity", "alter table a replica identity full", "alter table a set unlogged"}},
	{"alter into another schema", "ALTER … SET SCHEMA cannot move a table into a distributed schema or out of it",
		has(`^alter .* set schema`),
		[]string{"alter table a set schema archive"}},
	{"column added with a constraint", "ADD COLUMN with PRIMARY KEY, UNIQUE, REFERENCES or CHECK is refused: add the constraint by a statement of its own, with a name",
		func(s statement) bool {
			m := addsColumn.FindStringSubmatch(s.text())
			return s.is(`alter table`) && m != nil && !slices.Contains([]string{"constraint", "primary", "unique", "check", "foreign", "exclude"}, m[1])
		},
		[]string{"alter table a add column b text references c (id)", "alter table a add b int check (b > 0)", "alter table a add column if not exists b int unique"}},
	{"inheritance", "tables in a distributed schema cannot inherit or be inherited",
		has(`\binherits?\b`),
		[]string{"create table a (b int) inherits (c)", "alter table a inherit b", "alter table a no inherit b"}},
	{"partition of a partition", "multi-level partitioned tables cannot be distributed",
		has(`partition of .* partition by`),
		[]string{"create table a_1 partition of a for values from (1) to (2) partition by list (b)"}},
	{"foreign table", "a distributed schema has no foreign tables",
		has(`foreign table`, `create server`, `foreign data wrapper`),
		[]string{"create foreign table a (b int) server c"}},
	{"table of a query or a type", "CREATE TABLE AS, SELECT INTO and CREATE TABLE OF make no table of a distributed schema",
		func(s statement) bool { return createsOf.MatchString(s.text()) || selectsInto.MatchString(s.text()) },
		[]string{"create table a as select 1", "create table if not exists a (b) as values (1)", "select id into a from b", "create table a of b"}},
	{"temporary table", "a temporary table lies in another schema, and cannot be joined on a worker",
		has(`create( local| global)? temp(orary)?`),
		[]string{"create temp table a (b int)", "create temporary table a (b int) on commit drop"}},
	{"sequence narrower than bigint", "each node numbers within its own part of a bigint: smaller sequences fail on a worker",
		func(s statement) bool {
			return narrowSequence.MatchString(s.text()) || narrowIdentity.MatchString(s.text())
		},
		[]string{"create table a (id serial primary key)", "create table a (id smallserial)", "create table a (id int generated always as identity)", "create table a (b text, id smallint generated by default as identity)", "create sequence a as int", "alter sequence a as integer"}},
	{"subquery of VALUES", "subqueries within INSERT … VALUES are not supported: INSERT … SELECT is",
		has(`^insert .*\bvalues \(.*\(\s*select\b`),
		[]string{"insert into a (b) values ((select max(b) from c))"}},
	{"volatile update", "functions in an UPDATE must not be volatile",
		has(`^update .*\b(random|clock_timestamp|timeofday|gen_random_uuid|nextval|setval|uuid_generate_v\d)\s*\(`),
		[]string{"update a set b = gen_random_uuid()", "update a set b = random () where c", "update a set id = nextval('s')"}},
	{"view", "views that are written to are not supported, and those that are read are not moved with their tables in every version",
		has(`create( or replace)?( recursive| materialized)* view`),
		[]string{"create view a as select 1", "create or replace view a as select 1", "create materialized view a as select 1"}},
	{"code", "what a function or a block does is not seen here, and runs on the coordinator",
		has(`^do\b`, `create( or replace)? (function|procedure|aggregate)`, `^call\b`, `^execute\b`),
		[]string{"do $$ begin create trigger t; end $$", "create or replace function f() returns int language sql as $$ select 1 $$", "call p()"}},
	{"anything that was not looked up", "a statement of a kind that no store's migration has used: look up whether Citus takes it in a distributed schema, and enter it here or below",
		func(s statement) bool { return !lookedUp.MatchString(s.text()) },
		[]string{"vacuum", "create extension pg_trgm", "create schema a create table b (c int)", "create statistics s on a, b from c", "create type t as enum ('a')", "copy a from stdin", "set role other", "create publication p for all tables", "cluster a using i", "lock table a", "grant select on a to b"}},
}

var (
	// lookedUp are the kinds of statements that a store's migration may be made of.
	lookedUp = regexp.MustCompile(`^(create (unlogged )?table|create (unique )?index|create sequence|alter table|alter index|alter sequence|drop table|drop index|drop sequence|comment on|insert into|update|delete from|select|with)\b`)

	passedOn       = regexp.MustCompile(`^(add|drop|alter( column)? \S+ (set|drop) (not null|default)|alter( column)? \S+ (set data )?type|validate constraint|rename|set \(|reset \(|(enable|disable|force|no force) row level security|attach partition|detach partition)\b?`)
	addsColumn     = regexp.MustCompile(`\badd (?:column )?(?:if not exists )?(\S+) .*\b(?:primary key|unique|references|check)\b`)
	createsOf      = regexp.MustCompile(`^create (unlogged )?table (if not exists )?\S+( \([^()]*\))? (as|of)\b`)
	selectsInto    = regexp.MustCompile(`^(with .*)?select [^;]* into (table |temp |unlogged )*\S+ from\b`)
	narrowSequence = regexp.MustCompile(`\b(small)?serial[24]?\b|^(create|alter) sequence .* as (small)?int(eger|2|4)?\b`)
	narrowIdentity = regexp.MustCompile(`\b(smallint|integer|int2?|int4)( [a-z ]+)? generated [a-z ]+ as identity`)
	// extTable is a table of ext, where only functions and operator classes lie.
	extTable = regexp.MustCompile(`\b(?:from|join|into|update|references|table|exists|only|using) ext \. `)
)

// has finds one of the patterns in a statement's text.
func has(patterns ...string) func(statement) bool {
	var all []*regexp.Regexp
	for _, p := range patterns {
		all = append(all, regexp.MustCompile(p))
	}
	return func(s statement) bool {
		return slices.ContainsFunc(all, func(p *regexp.Regexp) bool { return p.MatchString(s.text()) })
	}
}

// statement is one statement's tokens: words in lower case, quoted names without their
// quotes, punctuation. Comments are left out; a literal is ” whatever stands in it.
type statement []string

// text is the statement with single spaces, and none around dots and within brackets.
func (s statement) text() string {
	return strings.NewReplacer(" . ", ".", "( ", "(", " )", ")", " ,", ",").Replace(s.spaced())
}

func (s statement) spaced() string { return strings.Join(s, " ") }

func (s statement) is(kind string) bool { return strings.HasPrefix(s.spaced(), kind+" ") }

// parts are the sub-commands of an ALTER TABLE, without the table's name.
func (s statement) parts() []string {
	rest := regexp.MustCompile(`^alter table (if exists )?(only )?[\w.]+ `).ReplaceAllString(s.text(), "")
	var parts []string
	depth, from := 0, 0
	for i, c := range rest {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(rest[from:i]))
				from = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(rest[from:]))
}

// qualifiers are the schemas that a statement names: what stands before a dot and is
// neither a table of the statement's own nor another name for one.
func (s statement) qualifiers() []string {
	known := map[string]bool{"excluded": true}
	for i, word := range s {
		switch word {
		case "from", "join", "into", "update", "using", ",", "as":
			for j := i + 1; j < len(s) && j <= i+3; j++ { // a table, and the name it goes by
				if s[j] == "." || j+1 < len(s) && s[j+1] == "." {
					break
				}
				known[s[j]] = true
			}
		}
	}
	var found []string
	for i := 1; i < len(s)-1; i++ {
		if s[i] == "." && !known[s[i-1]] {
			found = append(found, s[i-1])
		}
	}
	return found
}

var token = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\w*\$|'(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z_]\w*|\d[\w.]*|[^\s]`)

// statements splits SQL into its statements.
func statements(sql string) []statement {
	var list []statement
	var current statement
	for _, t := range token.FindAllString(sql, -1) {
		switch {
		case strings.HasPrefix(t, "--"), strings.HasPrefix(t, "/*"):
		case t == ";":
			if len(current) > 0 {
				list = append(list, current)
			}
			current = nil
		case strings.HasPrefix(t, "'"), len(t) > 1 && strings.HasPrefix(t, "$"):
			current = append(current, "''")
		case strings.HasPrefix(t, `"`):
			current = append(current, strings.Trim(t, `"`))
		default:
			current = append(current, strings.ToLower(t))
		}
	}
	if len(current) > 0 {
		list = append(list, current)
	}
	return list
}

// refused says what Citus would refuse of a text.
func refused(sql string) []string {
	var found []string
	for _, s := range statements(sql) {
		for _, r := range refusedByCitus {
			if r.finds(s) {
				found = append(found, fmt.Sprintf("%s: %s: %.120s", r.name, r.why, s.text()))
			}
		}
	}
	return found
}

func TestStoresUseNothingThatCitusRefuses(t *testing.T) {
	names, err := fs.Glob(files, "store/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		body, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(statements(string(body))) == 0 {
			t.Errorf("%s has no statements", name)
		}
		for _, what := range refused(string(body)) {
			t.Errorf("%s: %s", name, what)
		}
	}
}

// TestWhatCitusRefusesIsFound has each entry of the list find its examples, and nothing
// be found in what is written every day.
func TestWhatCitusRefusesIsFound(t *testing.T) {
	for _, r := range refusedByCitus {
		if r.name == "" || r.why == "" || len(r.examples) == 0 {
			t.Errorf("%q has no reason or no examples", r.name)
		}
		for _, example := range r.examples {
			for _, form := range []string{example, strings.ToUpper(example), "-- as always\ncreate table q (id text);\n" + strings.ReplaceAll(example, " ", " /* ; */\n\t") + ";"} {
				all := statements(form)
				if !r.finds(all[len(all)-1]) {
					t.Errorf("%s is not found in: %s", r.name, form)
				}
			}
		}
	}
	for _, fine := range []string{
		`create table a (id text collate "C" primary key, b jsonb not null default '{"merge into": "x.y"}', c numeric default 1.5, check (b <> 'a, b'), unique (id, b))`,
		"create table if not exists a (id bigint generated always as identity primary key, parent text references a (id) on delete cascade)",
		"create index a_title on a using gin (title ext.gin_trgm_ops) where title <> ''",
		"create unique index if not exists a_b on a (lower(b), c desc)",
		"alter table a add column b int not null default 0",
		"alter table only a alter column b set not null", "alter table a alter b type bigint", "alter table a add constraint a_b check (b in (1, 2))",
		"alter table a add constraint a_c foreign key (c, d) references e (f, g)", "alter table a rename column b to c", "alter table a set (fillfactor = 70, autovacuum_enabled = on)",
		"alter table a drop constraint if exists a_b", "alter table a enable row level security",
		"update a set b = c.b from d c join e on e.id = c.id where c.id = a.id and a.id > ''", "insert into a (b) select max(x.b) from b as x on conflict (b) do update set b = excluded.b",
		"with x as (select id from a) delete from b using x where x.id = b.id", "create sequence order_numbers start 1001", "create sequence n as bigint",
		"comment on table a is 'a trigger; a rule'", "drop index if exists a_b",
	} {
		if found := refused(fine); len(found) > 0 {
			t.Errorf("refused for nothing: %s", strings.Join(found, "; "))
		}
	}
}
