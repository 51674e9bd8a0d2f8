package customers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Groups are customers who are treated alike: promotions and prices may be meant for one.

var groupJSON = `json_build_object('id', t.id, 'name', t.name, 'customers_count', (select count(*) from customers c where c.group_ids @> array[t.id::text]),
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `)`

var (
	groupsSQL = postgres.List{
		From: "customer_groups t where true", Each: groupJSON, Order: "t.name", After: "t.name > $2", Position: "t.name",
	}.SQL()
	groupSQL = `select t.version || E'\n' || ` + groupJSON + ` from customer_groups t where t.id = $1`
)

// Groups is a page of the groups, by name, as the API shows them.
func (s *Service) Groups(ctx context.Context, after string, limit int) (postgres.Page, error) {
	return s.DB.Page(ctx, groupsSQL, limit, after)
}

// Group is one of them.
func (s *Service) Group(ctx context.Context, id string) (postgres.Object, error) {
	o, err := s.DB.Object(ctx, groupSQL, id)
	return postgres.Found(o, err, "group of customers")
}

// GroupIn is Group as the transaction sees it.
func (s *Service) GroupIn(ctx context.Context, tx *postgres.Tx, id string) (postgres.Object, error) {
	o, err := tx.Object(ctx, groupSQL, id)
	return postgres.Found(o, err, "group of customers")
}

func groupName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n < 1 || n > maxName {
		return "", problem.New(problem.Unprocessable, "details_invalid", "The group cannot be like this.").
			At("/name", "maxLength", "A name has 1 to %d characters.", maxName)
	}
	return name, nil
}

// groupTaken says in words that two groups would have one name.
func groupTaken(err error, name string) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.ConstraintName == "customer_groups_name_key" {
		return problem.New(problem.Conflict, "group_taken", "There is a group %q already.", name).At("/name", "group_taken", "Choose another name.")
	}
	return fmt.Errorf("keep group %q: %w", name, err)
}

// CreateGroup makes a group.
func (s *Service) CreateGroup(ctx context.Context, tx *postgres.Tx, name string) (string, error) {
	name, err := groupName(name)
	if err != nil {
		return "", err
	}
	id := ids.New("cgr")
	if _, err := tx.Exec(ctx, `insert into customer_groups (id, name) values ($1, $2)`, id, name); err != nil {
		return "", groupTaken(err, name)
	}
	journal.Event(ctx, tx, "customer_group.created", id, journal.Named{ID: id, Name: name})
	journal.Audit(ctx, tx, journal.Entry{Action: "customer_group.create", ObjectID: id, After: map[string]string{"name": name}})
	return id, nil
}

func lockGroup(ctx context.Context, tx *postgres.Tx, id string, meant int) (name string, err error) {
	var version int
	err = tx.QueryRow(ctx, `select name, version from customer_groups where id = $1 for update`, id).Scan(&name, &version)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return "", problem.Missing("group of customers")
	case err != nil:
		return "", fmt.Errorf("read group %s: %w", id, err)
	}
	return name, problem.Outdated(version, meant)
}

// RenameGroup gives a group another name. Version, here and below, is the one that the
// change is meant for, or 0.
func (s *Service) RenameGroup(ctx context.Context, tx *postgres.Tx, id, name string, version int) error {
	before, err := lockGroup(ctx, tx, id, version)
	if err != nil {
		return err
	}
	if name, err = groupName(name); err != nil || name == before {
		return err
	}
	if _, err := tx.Exec(ctx, `update customer_groups set name = $2, version = version + 1, updated_at = now() where id = $1`, id, name); err != nil {
		return groupTaken(err, name)
	}
	journal.Event(ctx, tx, "customer_group.updated", id, journal.Named{ID: id, Name: name})
	journal.Audit(ctx, tx, journal.Entry{Action: "customer_group.update", ObjectID: id, Before: map[string]string{"name": before}, After: map[string]string{"name": name}})
	return nil
}

// DeleteGroup deletes a group that nothing is meant for; its customers stay.
func (s *Service) DeleteGroup(ctx context.Context, tx *postgres.Tx, id string, version int) error {
	name, err := lockGroup(ctx, tx, id, version)
	if err != nil {
		return err
	}
	var promotion, list *string
	err = tx.QueryRow(ctx, `select (select title from promotions where (rule->'group_ids')::jsonb ? $1 order by id limit 1),
		(select name from price_lists where group_ids @> array[$1] order by id limit 1)`, id).Scan(&promotion, &list)
	switch {
	case err != nil:
		return fmt.Errorf("look for what group %s is used by: %w", id, err)
	case promotion != nil:
		return problem.New(problem.Conflict, "group_in_use", "The promotion %q is meant for this group.", *promotion)
	case list != nil:
		return problem.New(problem.Conflict, "group_in_use", "The price list %q is meant for this group.", *list)
	}
	kept, err := keepGroup(ctx, tx, id)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update customers set group_ids = array_remove(group_ids, $1), version = version + 1, updated_at = now() where group_ids @> array[$1]`, id); err != nil {
		return fmt.Errorf("empty group %s: %w", id, err)
	}
	if _, err := tx.Exec(ctx, `delete from customer_groups where id = $1`, id); err != nil {
		return fmt.Errorf("delete group %s: %w", id, err)
	}
	journal.Event(ctx, tx, "customer_group.deleted", id, journal.Gone{ID: id})
	journal.Audit(ctx, tx, journal.Entry{Action: "customer_group.delete", ObjectID: id, Before: map[string]string{"name": name}, Kept: kept})
	return nil
}

// knowGroups refuses groups that there are not, and keeps the others from being deleted
// until the transaction ends.
func knowGroups(ctx context.Context, tx *postgres.Tx, ids []string) error {
	rows, err := tx.Query(ctx, `
		with known as (select id from customer_groups where id = any($1) order by id for key share)
		select at - 1 from unnest($1::text[]) with ordinality as a(id, at) where id not in (select id from known) order by at`, ids)
	if err != nil {
		return fmt.Errorf("look for groups: %w", err)
	}
	defer rows.Close()
	p := problem.New(problem.Unprocessable, "unknown_reference", "There is no such group of customers.")
	for rows.Next() {
		var at int
		if err := rows.Scan(&at); err != nil {
			return fmt.Errorf("look for groups: %w", err)
		}
		p.At(fmt.Sprintf("/group_ids/%d", at), "unknown_reference", "There is no such group.")
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for groups: %w", err)
	}
	return p.OrNil()
}
