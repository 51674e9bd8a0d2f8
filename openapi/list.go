package openapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// cursorTag is how many bytes of its signature a cursor carries.
const cursorTag = 12

// After is where the page that is asked for begins: what NextCursor was made of, or empty
// for the first page. A cursor belongs to the list and the filter that it came from.
func (r *Request) After() (string, error) {
	cursor := r.Query.Get("cursor")
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) < cursorTag || !hmac.Equal(raw[:cursorTag], r.sign(raw[cursorTag:])) {
		return "", problem.New(problem.Invalid, "invalid_cursor", "The cursor is not one of this list with this filter.").
			At("?cursor", "invalid", "Take it from next_cursor and leave the other parameters as they were.")
	}
	return string(raw[cursorTag:]), nil
}

// cursor makes the cursor of the page that follows after.
func (r *Request) cursor(after string) string {
	return base64.RawURLEncoding.EncodeToString(append(r.sign([]byte(after)), after...))
}

// sign binds a position to the caller's store, the operation and its filter.
func (r *Request) sign(position []byte) []byte {
	mac := hmac.New(sha256.New, r.router.config.CursorKey)
	query := maps.Clone(r.Query)
	delete(query, "cursor")
	delete(query, "limit")
	place := []string{r.Caller.Principal.StoreID, r.Operation.ID, query.Encode()}
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		place = append(place, r.Params[name])
	}
	for _, part := range place {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	mac.Write(position)
	return mac.Sum(nil)[:cursorTag]
}

// List answers a page of a list. Next is where the following page begins, empty when this
// is the last; it comes back from After.
func List[T any](r *Request, data []T, next string) (*Response, error) {
	if data == nil {
		data = []T{}
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	return RawList(r, postgres.Page{Data: raw, Next: next}), nil
}

// RawList answers a page that Postgres has written as JSON.
func RawList(r *Request, page postgres.Page) *Response {
	body := make([]byte, 0, len(page.Data)+128)
	body = append(body, `{"data":`...)
	body = append(body, page.Data...)
	if page.Next == "" {
		return OK(append(body, `,"has_more":false,"next_cursor":null}`...))
	}
	cursor := r.cursor(page.Next)
	body = append(body, `,"has_more":true,"next_cursor":"`...)
	body = append(body, cursor...)
	body = append(body, `"}`...)
	query := maps.Clone(r.Query)
	query.Set("cursor", cursor)
	return OK(body).With("Link", "<"+r.HTTP.URL.Path+"?"+query.Encode()+`>; rel="next"`)
}
