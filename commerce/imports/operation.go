package imports

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// ShopifyProducts is the kind of operation that imports Shopify's product CSV.
const ShopifyProducts = "shopify_products"

// input is what an import works on.
type input struct {
	Key   string `json:"key"`
	Bytes int64  `json:"bytes"`
}

// Create asks for the import of a file that was received. It is worked on once that is
// committed.
func (s *Service) Create(ctx context.Context, tx *postgres.Tx, u Upload) error {
	return s.operations.Create(ctx, tx, operations.Asked{
		ID: u.OperationID, Kind: ShopifyProducts, Input: input{u.Key, u.Bytes}, About: map[string]any{"bytes": u.Bytes},
	})
}

// inputOf is what an operation works on.
func inputOf(o *operations.Operation) (in input, err error) {
	if err := json.Unmarshal(o.Input, &in); err != nil {
		return in, fmt.Errorf("read the input of %s: %w", o.ID, err)
	}
	return in, nil
}

// ended has the file of an import deleted that has ended.
func ended(_ context.Context, tx *postgres.Tx, o *operations.Operation) error {
	in, err := inputOf(o)
	if err == nil {
		journal.Job(tx, catalog.JobDeleteFiles, catalog.DeleteFilesArgs{Keys: []string{in.Key}})
	}
	return err
}
