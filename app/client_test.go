package app_test

import (
	"bytes"
	"encoding/csv"
	"image"
	"image/png"
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/oapi-codegen/nullable"
	"github.com/oapi-codegen/runtime/types"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/openapi/client"
	"github.com/stoacommerce/stoa/openapi/gen"
)

// lossy loses the answer to every request that it sends for the first time.
type lossy struct{ sent map[string]bool }

func (l *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.Method + r.URL.String() + r.Header.Get("Idempotency-Key")
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && !l.sent[key] {
		l.sent[key] = true
		_ = response.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return response, err
}

// TestTheGoClient opens a store and fills it by the client in Go, over a line that loses answers.
func TestTheGoClient(t *testing.T) {
	t.Parallel()
	p := apptest.Start(t, nil)
	line := client.WithHTTPClient(&http.Client{Transport: &lossy{map[string]bool{}}})
	email, password := "ada@example.com", "quince lantern orbit"
	opened, err := client.New(p.URL, "", line).SignUp(t.Context(), gen.SignupRequest{
		StoreName: "Bowls", StoreAddress: "bowls", Country: "DE", Currency: "EUR", Email: &email, Password: &password,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	stoa := client.New(p.URL, *opened.Keys.Live.Secret, line)
	active := gen.ProductStatusActive
	var made []string
	for _, title := range []string{"Blue bowl", "Red bowl", "Green bowl"} {
		product, err := stoa.CreateProduct(t.Context(), gen.ProductCreate{Title: title, Status: &active, Tags: []string{"clay"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, product.ID)
	}
	one, tag := gen.LimitQuery(1), "clay"
	var listed []string
	for product, err := range stoa.ListProductsAll(t.Context(), &gen.ListProductsParams{Limit: &one, Tag: &tag}) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, product.ID)
	}
	slices.Reverse(listed)
	if !slices.Equal(listed, made) {
		t.Errorf("made %v, and there are %v: what was sent again was done again", made, listed)
	}

	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	var file types.File
	file.InitFromBytes(picture.Bytes(), "bowl.png")
	alt := "A bowl"
	shown, err := stoa.UploadProductImage(t.Context(), made[0], gen.ImageUpload{File: file, Alt: &alt}, nil)
	if err != nil || shown.Width != 30 || shown.Alt == nil || *shown.Alt != alt {
		t.Errorf("%+v, %v", shown, err)
	}

	change := gen.ProductUpdate{SEOTitle: nullable.NewNullableWithValue("Bowls of clay")}
	if changed, err := stoa.UpdateProduct(t.Context(), made[0], change, nil); err != nil || changed.SEOTitle == nil || *changed.SEOTitle != "Bowls of clay" {
		t.Errorf("%+v, %v", changed, err)
	}
	change.SEOTitle = nullable.NewNullNullable[string]()
	if changed, err := stoa.UpdateProduct(t.Context(), made[0], change, nil); err != nil || changed.SEOTitle != nil {
		t.Errorf("%+v, %v", changed, err)
	}
	if err := stoa.DeleteProduct(t.Context(), made[2], nil); err != nil && !client.Is(err, "not_found") { // the answer of the first was lost
		t.Error(err)
	}
	if _, err := stoa.GetProduct(t.Context(), made[2], nil); !client.Is(err, "not_found") {
		t.Errorf("a product that was deleted: %v", err)
	}
	if _, err := stoa.CreateProduct(t.Context(), gen.ProductCreate{}, nil); !client.Is(err, "invalid_request") {
		t.Errorf("a product without a title: %v", err)
	}

	report, err := stoa.GetSalesReportCSV(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer report.Close()
	if rows, err := csv.NewReader(report).ReadAll(); err != nil || len(rows) < 2 {
		t.Errorf("%v, %v", rows, err)
	}
}
