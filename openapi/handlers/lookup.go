package handlers

import (
	"context"
	"strconv"
	"strings"

	store "github.com/stoacommerce/stoa/commerce/lookup"
	"github.com/stoacommerce/stoa/commerce/search"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/tenants/lookup"
)

// Lookup finds things of whatever kind.
type Lookup struct {
	DB *postgres.DB
	// Speller corrects what is looked for and not found; nil corrects nothing.
	Speller *search.Speller
}

// Operations are the handlers by operationId.
func (h *Lookup) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{"lookUp": h.lookUp}
}

// usualLookup is how many of each kind are given, unless somebody asks for another number.
const usualLookup = 5

func (h *Lookup) lookUp(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	text := strings.TrimSpace(req.Query.Get("q"))
	most, err := strconv.Atoi(req.Query.Get("per_kind"))
	if err != nil {
		most = usualLookup
	}
	if text == "" {
		return openapi.OK(gen.Lookup{References: []gen.Reference{}}), nil
	}
	may := func(permission string) bool { return req.Require(permission) == nil }
	things, err := store.InStore(ctx, h.DB, h.Speller, may, text, most)
	if err != nil {
		return nil, err
	}
	around, err := lookup.InPlatform(ctx, h.DB, may, text, most)
	if err != nil {
		return nil, err
	}
	return openapi.OK(gen.Lookup{References: converted(lookup.Together(things, around), reference)}), nil
}

func reference(r lookup.Reference) gen.Reference {
	return gen.Reference{Kind: gen.ReferenceKind(r.Kind), ID: r.ID, ParentID: orNil(r.Parent), Title: r.Title, Detail: orNil(r.Detail), Status: orNil(r.Status)}
}
