package openapi

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// Operation is one operation of the contract with what its x- fields say.
type Operation struct {
	ID          string
	Method      string
	Path        string    // with parameters in braces, as in the contract
	Permission  string    // what the caller must be allowed; "none" for everybody
	Credentials []string  // which credentials are taken; "none" among them means it goes without
	Limit       string    // the class of rate limit that it costs
	Idempotent  string    // "required", "optional" or ""
	Resource    string    // the prefix of the IDs that it is about
	States      []string  // the states of a store in which it is answered
	Deprecated  time.Time // since when it should not be used any more; zero when it may
	Sunset      time.Time // when it goes; zero when it stays
	Spec        *openapi3.Operation

	route     *routers.Route
	handler   Handler
	ids       map[string]string // path parameters that are IDs, with their prefixes
	query     map[string]bool   // the query parameters that it knows
	times     map[string]string // those of them that are days or instants, with their layouts
	many      map[string]bool   // those of them that may be given several times
	media     []string          // the media types of its body
	streams   bool              // its body is a file that the handler reads for itself
	versioned bool              // it takes no change that does not say what it is meant for
	secrets   map[string]bool   // the parameters that are not written down, as in "query token"
	asked     *secrecy          // what of its body is not
	answers   map[int]*secrecy  // what of its answers is not, by status

	parameters []*openapi3.Parameter
}

// maxJSON is the largest body of JSON, in bytes.
const maxJSON = 1 << 20

// Writes says whether the operation changes anything.
func (op *Operation) Writes() bool { return op.Method != "GET" }

// InShop says whether the operation is one of the shop's, which browsers may call from
// other origins.
func (op *Operation) InShop() bool { return strings.HasPrefix(op.Path, "/v1/shop") }

// Takes says whether a kind of credential is taken.
func (op *Operation) Takes(credential string) bool {
	return slices.Contains(op.Credentials, credential)
}

// DryRuns says whether the operation can be tried without effect.
func (op *Operation) DryRuns() bool { return op.query["dry_run"] }

// Operations reads all operations of the contract, sorted by ID. Its errors name every
// operation that lacks something.
func Operations(doc *openapi3.T) ([]*Operation, error) {
	var list []*Operation
	var wrong []string
	for path, item := range doc.Paths.Map() {
		for method, spec := range item.Operations() {
			op, err := newOperation(doc, path, item, method, spec)
			if err != nil {
				wrong = append(wrong, err.Error())
				continue
			}
			list = append(list, op)
		}
	}
	if len(wrong) > 0 {
		sort.Strings(wrong)
		return nil, fmt.Errorf("contract: %s", strings.Join(wrong, "; "))
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list, nil
}

func newOperation(doc *openapi3.T, path string, item *openapi3.PathItem, method string, spec *openapi3.Operation) (*Operation, error) {
	op := &Operation{
		ID: spec.OperationID, Method: method, Path: path, Spec: spec,
		Permission: text(spec, "x-permission"), Limit: text(spec, "x-limit"), Resource: text(spec, "x-resource"),
		Credentials: texts(spec, "x-credentials"), States: texts(spec, "x-store-states"),
		route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: spec},
		ids:   map[string]string{}, query: map[string]bool{}, times: map[string]string{}, many: map[string]bool{},
	}
	for field, value := range map[string]string{"operationId": op.ID, "x-permission": op.Permission, "x-limit": op.Limit, "x-resource": op.Resource} {
		if value == "" {
			return nil, fmt.Errorf("%s %s has no %s", method, path, field)
		}
	}
	if len(op.Credentials) == 0 {
		return nil, fmt.Errorf("%s has no x-credentials", op.ID)
	}
	if idempotent := text(spec, "x-idempotent"); idempotent != "false" {
		op.Idempotent = idempotent
	}
	var err error
	if op.Deprecated, err = instant(spec, "x-deprecated-at"); err != nil {
		return nil, err
	}
	if op.Sunset, err = instant(spec, "x-sunset"); err != nil {
		return nil, err
	}
	if spec.Deprecated == op.Deprecated.IsZero() {
		return nil, fmt.Errorf("%s: what is deprecated says since when by x-deprecated-at, and only that does", op.ID)
	}
	for _, ref := range slices.Concat(item.Parameters, spec.Parameters) {
		p := ref.Value
		// An operation may say otherwise what its path says of all.
		op.parameters = slices.DeleteFunc(op.parameters, func(other *openapi3.Parameter) bool { return other.In == p.In && other.Name == p.Name })
		op.parameters = append(op.parameters, p)
		switch p.In {
		case "header":
			op.versioned = op.versioned || p.Name == "If-Match" && p.Required
		case "query":
			op.query[p.Name] = true
			op.many[p.Name] = p.Schema.Value.Type.Is("array")
			switch p.Schema.Value.Format {
			case "date-time":
				op.times[p.Name] = time.RFC3339
			case "date":
				op.times[p.Name] = time.DateOnly
			}
		case "path":
			if prefix, ok := p.Extensions["x-id"].(string); ok {
				op.ids[p.Name] = prefix
			}
		}
	}
	if spec.RequestBody != nil {
		for media := range spec.RequestBody.Value.Content {
			op.media = append(op.media, media)
			if media == "multipart/form-data" || media == "text/csv" {
				op.streams = true
			}
		}
	}
	op.readSecrets()
	return op, nil
}

// instant reads a time that an operation may name.
func instant(spec *openapi3.Operation, field string) (time.Time, error) {
	given := text(spec, field)
	if given == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, given)
	if err != nil {
		return at, fmt.Errorf("%s: %s: %w", spec.OperationID, field, err)
	}
	return at, nil
}

func text(spec *openapi3.Operation, field string) string {
	switch v := spec.Extensions[field].(type) {
	case string:
		return v
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}

func texts(spec *openapi3.Operation, field string) []string {
	var list []string
	items, _ := spec.Extensions[field].([]any)
	for _, item := range items {
		if s, ok := item.(string); ok {
			list = append(list, s)
		}
	}
	return list
}
