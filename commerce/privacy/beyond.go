package privacy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stoacommerce/stoa/platform/postgres"
)

// elsewhere is a table that is not a store's own. A test holds that every column of text,
// JSON or bytes of the cells and of the control database stands in one of these.
type elsewhere struct {
	table    string
	personal string
	plain    string
	why      string // nothing is erased there although something may tell of a person
}

// beyondStores are the tables of cells and of the control database.
var beyondStores = []elsewhere{
	{table: "cell.requests", personal: "people sealed", plain: "id store operation method path code actor_kind actor_id actor api_version request_state response_state"},
	{table: "cell.idempotency", personal: "headers body", plain: "store scope fingerprint state step", why: "secret_body: sealed, and gone after ten minutes"},
	{table: "cell.deliveries", personal: "attempts", plain: "id store endpoint_id event_id event_type state"},
	{table: "cell.outbox", personal: "args", plain: "store lane kind request_id trace"},
	{table: "cell.schema_versions", plain: "error"},
	{table: "cell.usage_deltas", plain: "store metric"},
	{table: "cell.usage_days", plain: "store metric"},
	{table: "mailbox", personal: "recipient subject html text", plain: "id store_id kind"},

	{table: "cells", plain: "name"},
	{table: "cell_logins", plain: "cell password_sealed"},
	{table: "schemas", plain: "cell state store_id mode"},
	{table: "accounts", plain: "id email name password_hash totp_sealed", why: "merchants and their staff, who are the platform's own customers"},
	{table: "account_tokens", plain: "hash account_id purpose email", why: "of merchants and their staff"},
	{table: "recovery_codes", plain: "account_id hash"},
	{table: "passkeys", plain: "id account_id name credential credential_id", why: "of merchants and their staff"},
	{table: "stores", plain: "id name address skeleton status suspension_reason plan country currency cell"},
	{table: "domains", plain: "id store_id name state seen certificate_failure"},
	{table: "certificates", plain: "domain_id serial chain key_sealed"},
	{table: "certificate_orders", plain: "store_id"},
	{table: "roles", plain: "id store_id name description permissions"},
	{table: "members", plain: "store_id account_id role role_id"},
	{table: "invitations", plain: "id store_id email role role_id token_hash invited_by", why: "of staff"},
	{table: "api_keys", plain: "id store_id kind mode name prefix last4 digest scopes allowed_ips allowed_origins api_version created_by rotated_to"},
	{table: "operator_keys", plain: "id name role prefix last4 digest"},
	{table: "usage_requests", plain: "store_id generation"},
	{table: "platform_secrets", plain: "name sealed"},
	{table: "audit_entries", plain: "id actor_kind actor_id actor store_id mode action object_id before after reason request_id ip session_id user_agent", why: "what merchants and their staff did to keys, staff and the store itself"},
	{table: "differences", plain: "store_id mode kind object_id detail"},
	{table: "reconciliations", plain: "store_id mode"},
	{table: "idempotency", plain: "scope fingerprint state headers body secret_body step", why: "what merchants and their staff did, for a day"},
	{table: "outbox", plain: "store kind args request_id trace", why: "mails to merchants and their staff"},
	{table: "keeping_runs", plain: "id kind subject args asked_by state host detail error"},
	{table: "store_restores", plain: "id store_id mode state detail"},
	{table: "tasks", plain: "name error"},
	{table: "cell_sizes", plain: "cell"},
	{table: "schema_migrations", plain: "name"},
	{table: "cell.schema_migrations", plain: "name"},
}

// requestsSQL empties the calls of store $1 that tell of any of $2, and gives the carts of
// shoppers' calls among them, through which others are found.
const requestsSQL = `
with gone as (
	update cell.requests set sealed = null, people = '{}', actor = case when actor_kind = 'key' then actor else '' end,
		request_state = case when request_state = 'none' then 'none' else 'erased' end, response_state = case when response_state = 'none' then 'none' else 'erased' end
	where store = $1 and people <> '{}' and people && $2 and sealed is not null returning actor_kind, id
), told as (
	select people from cell.requests r join gone on gone.id = r.id and r.store = $1 where gone.actor_kind in ('publishable', 'customer')
)
select (select count(*) from gone), coalesce((select array_agg(distinct n) from told cross join unnest(people) n where n like 'cart\_%'), '{}')`

// What is erased of idempotency answers: whoever repeats the request is told that it was
// carried out.
const (
	idempotencySQL = `update cell.idempotency set status = 409, headers = '{"Content-Type": ["application/problem+json"]}', body = $2, secret_body = null, secret_until = null
		where store = current_user and state = 'done' and body is distinct from $2 and exists (select from unnest($1::text[]) n where position(convert_to(n, 'UTF8') in body) > 0)`

	deliveriesSQL = `update cell.deliveries d set attempts = (select coalesce(jsonb_agg(a || '{"response_excerpt": "", "error": ""}'), '[]') from jsonb_array_elements(d.attempts) a)
		where d.store = current_user and d.event_id in (select id from events t where t.object_id = any(@ids) or lower(t.data->>'email') = any(@emails))`

	// Jobs that tell of a person are mails to them: those that name their address, and those
	// about what is theirs, which may have been sent already.
	outboxSQL = `delete from cell.outbox where store = $1 and (args::text ilike any($2) or kind like '%mail' and args::text like any($3))`

	// A job that is at work is looked for again later.
	queueSQL = `delete from river.river_job where args->>'store' = $1 and state <> 'running'
		and (args::text ilike any($2) or errors::text ilike any($2) or kind like '%mail' and args::text like any($3))`

	mailboxSQL = `delete from mailbox where store_id = $1 and (recipient ilike any($2) or subject ilike any($2) or html ilike any($2) or text ilike any($2))`
)

// answered is what a repetition of a request is told whose answer was erased.
func answered() ([]byte, error) {
	return json.Marshal(map[string]any{
		"type": "/docs/errors#answer_erased", "title": "Conflict", "status": 409, "code": "answer_erased", "request_id": "",
		"detail": "The request was carried out; its answer was erased with the data of a person.",
	})
}

// beyond erases a person from what is not the store's to change: records of the cell, jobs,
// mails, and the tables that the store's own role only adds to.
func (s *Service) beyond(ctx context.Context, store postgres.StoreRef, p person) ([]touched, error) {
	role := postgres.RoleName(store.Cell, store.Schema)
	told := []touched{}
	tell := func(place, outcome string, rows int64) {
		told = append(told, touched{Place: place, Rows: rows, Outcome: outcome})
	}
	// These rows are the store's own to change, though they lie beside its schema.
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		answer, err := answered()
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, idempotencySQL, slices.Concat(p.IDs, p.Emails), answer)
		if err != nil {
			return fmt.Errorf("erase a person from answers: %w", err)
		}
		tell("idempotency", "anonymised", tag.RowsAffected())
		if tag, err = tx.Exec(ctx, deliveriesSQL, p.args()); err != nil {
			return fmt.Errorf("erase a person from deliveries: %w", err)
		}
		tell("deliveries", "anonymised", tag.RowsAffected())
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = s.DB.InCell(ctx, store.Cell, func(ctx context.Context, tx *postgres.Tx) error {
		calls, err := s.calls(ctx, tx, store, role, p)
		if err != nil {
			return err
		}
		tell("requests", "anonymised", calls)
		named := []string{}
		for _, id := range p.IDs {
			named = append(named, `%"`+id+`"%`)
		}
		for _, of := range []struct {
			place, outcome, statement string
			args                      []any
		}{
			{"jobs", "deleted", outboxSQL, []any{role, p.containing(), named}},
			{"jobs", "deleted", queueSQL, []any{role, p.containing(), named}},
		} {
			tag, err := tx.Exec(ctx, of.statement, of.args...)
			if err != nil {
				return fmt.Errorf("erase a person from %s: %w", of.place, err)
			}
			tell(of.place, of.outcome, tag.RowsAffected())
		}
		for _, place := range places {
			if !place.owner {
				continue
			}
			tag, err := tx.Exec(ctx, place.statement(`"`+postgres.SchemaName(store.Schema)+`".`), p.args())
			if err != nil {
				return fmt.Errorf("erase a person from %s: %w", place.table, err)
			}
			told = append(told, touched{place.table, tag.RowsAffected(), place.outcome(), place.keeps})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = s.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		tag, err := tx.Exec(ctx, mailboxSQL, store.ID, p.containing())
		tell("mailbox", "deleted", tag.RowsAffected())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("erase a person from the mailbox: %w", err)
	}
	return told, nil
}

// calls empties the calls that tell of a person: by their names, and by the carts that their
// own calls were of, which may be gone.
func (s *Service) calls(ctx context.Context, tx *postgres.Tx, store postgres.StoreRef, role string, p person) (all int64, err error) {
	names := slices.Clone(p.IDs)
	for _, email := range p.Emails {
		names = append(names, s.People.Email(store, email))
	}
	for done := map[string]bool{}; len(names) > 0; {
		for _, name := range names {
			done[name] = true
		}
		var rows int64
		var carts []string
		if err := tx.QueryRow(ctx, requestsSQL, role, names).Scan(&rows, &carts); err != nil {
			return 0, fmt.Errorf("erase a person from the request log: %w", err)
		}
		all, names = all+rows, names[:0]
		for _, cart := range carts {
			if !done[cart] && strings.HasPrefix(cart, "cart_") {
				names = append(names, cart)
			}
		}
	}
	return all, nil
}
