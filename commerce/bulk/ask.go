package bulk

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// The kinds of operations.
const (
	UpdateProducts = "bulk_update_products"
	DeleteProducts = "bulk_delete_products"
	UpdateVariants = "bulk_update_variants"
	DeleteVariants = "bulk_delete_variants"
	Undo           = "undo"

	// Imports are of package imports. They are undone here, like the others.
	Import          = "shopify_products"
	ImportCustomers = "shopify_customers"
)

// most is how many things an operation may be of.
const most = 100_000

// Request asks for a bulk operation. What it is of is said in one of three ways.
type Request struct {
	Delete bool
	IDs    []string
	Filter *catalog.ProductFilter // products, or all variants of products
	Items  []Item                 // each with an edit of its own
	Edit   any                    // for all by IDs or Filter: a catalog.ProductEdit or a catalog.VariantEdit
}

// Item is a thing with an edit of its own.
type Item struct {
	ID   string
	Edit any
}

// input is what is to be done to all rows that do not say it themselves.
type input struct {
	Edit json.RawMessage `json:"edit,omitempty"`
}

// check says what is wrong with a request.
func (r Request) check(thing string) error {
	wrong := problem.New(problem.Unprocessable, "invalid_bulk", "The request does not say what is to be done to what.")
	ways := 0
	for _, given := range []bool{r.IDs != nil, r.Filter != nil, r.Items != nil} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		wrong.At("", "one_of", "One of %s_ids, filter and items is needed, and not more.", thing)
	}
	switch {
	case r.Delete && r.Edit != nil:
		wrong.At("/changes", "excluded", "What is deleted is not changed.")
	case r.Delete && r.Items != nil:
		wrong.At("/items", "excluded", "What is to be deleted is named by IDs or by a filter.")
	case !r.Delete && r.Items == nil && r.Edit == nil:
		wrong.At("/changes", "required", "Nothing is to be changed.")
	case r.Items != nil && r.Edit != nil:
		wrong.At("/changes", "excluded", "Each item has changes of its own.")
	}
	seen := map[string]bool{}
	repeated := func(id, at string) {
		if seen[id] {
			wrong.At(at, "repeated", "It is there twice.")
		}
		seen[id] = true
	}
	for i, id := range r.IDs {
		repeated(id, fmt.Sprintf("/%s_ids/%d", thing, i))
	}
	for i, item := range r.Items {
		repeated(item.ID, fmt.Sprintf("/items/%d/%s_id", i, thing))
	}
	return wrong.OrNil()
}

// Products asks for a change or the deletion of products, and gives the operation's ID.
func (s *Service) Products(ctx context.Context, tx *postgres.Tx, r Request) (string, error) {
	kind := UpdateProducts
	if r.Delete {
		kind = DeleteProducts
	}
	return s.ask(ctx, tx, r, kind, "product", `select p.id as object_id, 'null'::jsonb as input from products p where `+catalog.Wanted(3)+` order by p.id limit $2`)
}

// Variants asks for a change or the deletion of variants, and gives the operation's ID.
func (s *Service) Variants(ctx context.Context, tx *postgres.Tx, r Request) (string, error) {
	kind := UpdateVariants
	if r.Delete {
		kind = DeleteVariants
	}
	return s.ask(ctx, tx, r, kind, "variant", `select v.id as object_id, 'null'::jsonb as input from products p join variants v on v.product_id = p.id
		where `+catalog.Wanted(3)+` order by p.id, v.position, v.id limit $2`)
}

func (s *Service) ask(ctx context.Context, tx *postgres.Tx, r Request, kind, thing, query string) (string, error) {
	if err := r.check(thing); err != nil {
		return "", err
	}
	var in input
	if r.Edit != nil {
		edit, err := json.Marshal(r.Edit)
		if err != nil {
			return "", fmt.Errorf("ask for %s: %w", kind, err)
		}
		in.Edit = edit
	}
	asked := operations.Asked{ID: ids.New("op"), Kind: kind, Input: in, About: map[string]any{"filter": r.Filter, "changes": in.Edit}}
	if err := s.operations.Create(ctx, tx, asked); err != nil {
		return "", err
	}
	if r.Filter != nil {
		n, err := s.operations.Select(ctx, tx, asked.ID, query, append([]any{most + 1}, r.Filter.Values()...)...)
		if err == nil && n > most {
			err = problem.New(problem.Unprocessable, "too_many", "The filter finds more than %d. Divide them.", most)
		}
		return asked.ID, err
	}
	var rows []operations.Row
	for _, id := range r.IDs {
		rows = append(rows, operations.Row{ObjectID: id})
	}
	for _, item := range r.Items {
		edit, err := json.Marshal(item.Edit)
		if err != nil {
			return "", fmt.Errorf("ask for %s: %w", kind, err)
		}
		rows = append(rows, operations.Row{ObjectID: item.ID, Input: edit})
	}
	return asked.ID, s.operations.List(ctx, tx, asked.ID, rows)
}

// undone is what a row of an operation that undoes another says: the line of the other.
type undone struct {
	Line int `json:"line"`
}

// Undo asks for what an operation did to be undone, and gives the ID of the operation that
// does it.
func (s *Service) Undo(ctx context.Context, tx *postgres.Tx, id string) (string, error) {
	o, err := operations.Read(ctx, tx, id, true)
	if err != nil {
		return "", err
	}
	if !o.Final() {
		return "", problem.New(problem.Conflict, "operation_running", "The operation has not ended. Cancel it first.")
	}
	var can, busy bool
	err = tx.QueryRow(ctx, `select coalesce(undo_until > now(), false) and exists (select from operation_rows where operation_id = $1 and undo is not null),
		exists (select from operations where undoes = $1 and state in ('queued', 'running')) from operations where id = $1`, id).Scan(&can, &busy)
	if err != nil {
		return "", fmt.Errorf("look whether %s can be undone: %w", id, err)
	}
	switch {
	case busy:
		return "", problem.New(problem.Conflict, "operation_running", "It is being undone.")
	case !can:
		return "", problem.New(problem.Conflict, "not_undoable", "There is nothing of it that can be undone, or not any more.")
	}
	asked := operations.Asked{ID: ids.New("op"), Kind: Undo, Input: input{}, Undoes: id, About: map[string]any{"undoes": id}}
	if err := s.operations.Create(ctx, tx, asked); err != nil {
		return "", err
	}
	order := ``
	if o.Kind == Import || o.Kind == ImportCustomers { // backwards, as rows may be of the same thing, or have made what those after them are in
		order = ` desc`
	}
	_, err = s.operations.Select(ctx, tx, asked.ID, `select object_id, jsonb_build_object('line', line) as input from operation_rows
		where operation_id = $2 and undo is not null order by line`+order, id)
	return asked.ID, err
}
