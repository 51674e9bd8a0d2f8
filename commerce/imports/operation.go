package imports

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/bulk"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// The kinds of operations that import Shopify's CSV of products and of customers, or say
// what would come of it.
const (
	ShopifyProducts         = bulk.Import
	ShopifyCustomers        = bulk.ImportCustomers
	PreviewShopifyProducts  = "preview_shopify_products"
	PreviewShopifyCustomers = "preview_shopify_customers"
)

// kinds are as what files are taken, by the kind of operation.
var kinds = map[string]As{
	ShopifyProducts: {}, ShopifyCustomers: {Customers: true}, PreviewShopifyProducts: {Preview: true}, PreviewShopifyCustomers: {Customers: true, Preview: true},
}

// kind is the kind of operation that takes a file so.
func (as As) kind() string {
	for kind, other := range kinds {
		if as.Customers == other.Customers && as.Preview == other.Preview {
			return kind
		}
	}
	return ""
}

// sheet is what the file's rows are to be.
func (as As) sheet() *sheet {
	if as.Customers {
		return people
	}
	return products
}

// undoFor is how long an import can be undone.
const undoFor = 30 * 24 * time.Hour

// input is what an import works on.
type input struct {
	Key     string            `json:"key"`
	Bytes   int64             `json:"bytes"`
	Mapping map[string]string `json:"mapping,omitempty"`
}

// Create asks for the import of a file that was received. It is worked on once that is
// committed.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, u Upload) error {
	return s.operations.Create(ctx, tx, operations.Asked{
		ID: u.OperationID, Kind: u.kind(), Input: input{u.Key, u.Bytes, u.Mapping}, About: map[string]any{"bytes": u.Bytes},
	})
}

// inputOf is what an operation works on.
func inputOf(o *operations.Operation) (in input, err error) {
	if err := json.Unmarshal(o.Input, &in); err != nil {
		return in, fmt.Errorf("read the input of %s: %w", o.ID, err)
	}
	return in, nil
}

// ended has the file of an import deleted that has ended, and keeps what undoes it.
func ended(ctx context.Context, tx *postgres.Tx, o *operations.Operation) error {
	in, err := inputOf(o)
	if err != nil {
		return err
	}
	journal.Job(tx, catalog.JobDeleteFiles, catalog.DeleteFilesArgs{Keys: []string{in.Key}})
	if kinds[o.Kind].Preview || o.Counts.Created+o.Counts.Updated == 0 {
		return nil
	}
	return bulk.KeepUndo(ctx, tx, o, undoFor)
}
