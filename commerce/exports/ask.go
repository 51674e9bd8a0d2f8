package exports

import (
	"context"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Kind is what is exported, as operations call it.
type Kind string

// The kinds.
const (
	Products  Kind = "export_products"
	Customers Kind = "export_customers"
	Orders    Kind = "export_orders"
)

// Format is how it is written.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl" // one JSON object a line, as the API shows it
)

// contentTypes are those of the formats.
var contentTypes = map[Format]string{CSV: "text/csv", JSONL: "application/x-ndjson"}

// thing is a kind of what is exported.
type thing struct {
	noun     string
	count    string // SQL of how many there are
	fields   []fields.Resource
	personal bool // it tells of persons
	formats  map[Format]writer
}

// writer writes the things after one of them, so many at most, and gives the last one's ID
// and how many they are.
type writer func(ctx context.Context, tx *postgres.Tx, b *book, after string, most int) (last string, n int, err error)

// Whether something was made, or an order placed, since $1 and until $2.
const (
	made   = `($1::timestamptz is null or created_at >= $1) and ($2::timestamptz is null or created_at < $2)`
	placed = `($1::timestamptz is null or placed_at >= $1) and ($2::timestamptz is null or placed_at < $2)`
)

var things = map[Kind]thing{
	Products: {"products", `select count(*) from products where ` + made, []fields.Resource{fields.Products, fields.Variants}, false,
		map[Format]writer{CSV: writeProducts}},
	Customers: {"customers", `select count(*) from customers where ` + made, []fields.Resource{fields.Customers}, true,
		map[Format]writer{CSV: writeCustomers, JSONL: writeCustomerLines}},
	Orders: {"orders", `select count(*) from orders where state <> 'pending' and ` + placed, []fields.Resource{fields.Orders}, true,
		map[Format]writer{CSV: writeOrders, JSONL: writeOrderLines}},
}

// Selection says which things are exported, and how they are written.
type Selection struct {
	Format Format     `json:"format"`
	Since  *time.Time `json:"since,omitempty"` // those made, or orders placed, at or after it; nil does not limit
	Until  *time.Time `json:"until,omitempty"` // those made, or orders placed, before it
}

// input is what an export works on. What its columns hang on is that of the moment at which
// it was asked for, so that all rows have the same.
type input struct {
	Selection
	Media    string              `json:"media"` // what the addresses of pictures begin with
	Currency string              `json:"currency"`
	Fields   []fields.Definition `json:"fields,omitempty"`
}

// Create asks for an export, and gives the operation's ID.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, kind Kind, want Selection, media string) (string, error) {
	of := things[kind]
	if of.formats[want.Format] == nil {
		return "", problem.New(problem.Unprocessable, "invalid_export", "There is no such export.").
			At("/format", "enum", "There is no export of %s as %s.", of.noun, want.Format)
	}
	in := input{Selection: want, Media: media}
	var total int
	if err := tx.QueryRow(ctx, `select currency, (`+of.count+`) from settings where id = 1`, want.Since, want.Until).Scan(&in.Currency, &total); err != nil {
		return "", fmt.Errorf("ask for an export: %w", err)
	}
	var err error
	if in.Fields, err = fields.Defined(ctx, tx, of.fields...); err != nil {
		return "", err
	}
	id := ids.New("op")
	asked := operations.Asked{
		ID: id, Kind: string(kind), Input: in, Total: &total, About: map[string]any{"format": want.Format, "since": want.Since, "until": want.Until},
		File: &operations.File{Name: of.noun + "-" + clock.Now().Format("2006-01-02") + "." + string(want.Format), ContentType: contentTypes[want.Format], Parts: []string{}},
	}
	return id, s.operations.Create(ctx, tx, asked)
}
