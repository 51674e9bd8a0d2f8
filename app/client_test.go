package app_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oapi-codegen/nullable"
	"github.com/oapi-codegen/runtime/types"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/docs/guides"
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

// TestTheTypeScriptClient builds the client in TypeScript and has a program of it fill a store,
// over a line that loses answers; then the programs of the guide to both clients are run.
func TestTheTypeScriptClient(t *testing.T) {
	p, key := storeOfItsOwn(t)
	const folder = "../openapi/client/typescript"
	output(t, folder, "npm", "run", "--silent", "build")
	out := output(t, folder, "node", "dist/test/use.js", p.URL, key)
	var came struct {
		Made, Listed []string
		SEOTitle     string `json:"seo_title"`
		Code         string
	}
	if err := json.Unmarshal([]byte(out), &came); err != nil || len(came.Made) != 3 || !slices.Equal(came.Made, came.Listed) || came.SEOTitle != "Bowls of clay" || came.Code != "not_found" {
		t.Errorf("%s %v", out, err)
	}
	index, err := filepath.Abs(folder + "/dist/src/index.js")
	if err != nil {
		t.Fatal(err)
	}
	programsOfTheGuide(t, p, key, index)
}

// clientBlock is a program in the guide to the clients.
var clientBlock = regexp.MustCompile("(?s)```(go|ts)\n(.*?)```")

// programsOfTheGuide runs both as they stand there, but for address and key.
func programsOfTheGuide(t *testing.T, p *apptest.Program, key, index string) {
	t.Setenv("STOA", p.URL)
	t.Setenv("SECRET_KEY", key)
	text, _ := guides.Text("clients")
	blocks := clientBlock.FindAllStringSubmatch(text, -1)
	if len(blocks) != 2 {
		t.Fatalf("there are %d programs", len(blocks))
	}
	for _, block := range blocks {
		file := filepath.Join(t.TempDir(), map[string]string{"go": "main.go", "ts": "main.mjs"}[block[1]])
		program := strings.NewReplacer("@stoacommerce/client", index, "https://stoa.example.com", p.URL, "stoa_sk_…", key).Replace(block[2])
		if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
			t.Fatal(err)
		}
		out := output(t, ".", map[string][]string{"go": {"go", "run", file}, "ts": {"node", file}}[block[1]]...)
		if !strings.Contains(out, "made tea-bowl") || !strings.Contains(out, "Tea bowl\n") || !strings.HasSuffix(out, "there is no such product\n") {
			t.Errorf("the program in %s says:\n%s", block[1], out)
		}
	}
}

func storeOfItsOwn(t *testing.T) (p *apptest.Program, key string) {
	t.Helper()
	p = apptest.Start(t, nil)
	email, password := "ada@example.com", "quince lantern orbit"
	opened, err := client.New(p.URL, "").SignUp(t.Context(), gen.SignupRequest{
		StoreName: "Bowls", StoreAddress: "bowls", Country: "DE", Currency: "EUR", Email: &email, Password: &password,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, *opened.Keys.Live.Secret
}

// output is what a command that succeeds says.
func output(t *testing.T, folder string, command ...string) string {
	t.Helper()
	run := exec.CommandContext(t.Context(), command[0], command[1:]...)
	run.Dir = folder
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
	return string(out)
}
