package bench

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/internal/bench/report"
)

// looks is how often Lighthouse looks at a page.
const looks = 5

// classes are those that Lighthouse gives a page points in, a hundred at most.
var classes = []string{"performance", "accessibility", "best-practices", "seo"}

// BenchmarkPages has Lighthouse look at a shop's pages as on a phone of the middle class, over a
// slow network.
func BenchmarkPages(b *testing.B) {
	w := newWorld(b)
	shop := strings.Replace(w.URL, "127.0.0.1", w.address+".localhost", 1)
	listed := w.call("GET", "/v1/products?limit=30", w.keys.Secret, nil)
	for n, p := range listed.(map[string]any)["data"].([]any) {
		w.picture("/v1/products/"+text(p, "/id")+"/images", n)
	}
	w.call("POST", "/v1/collections", w.keys.Secret, object{
		"name": "Summer", "handle": "summer", "description_html": "<p>Light things of linen.</p>",
		"rule": object{"match": "all", "conditions": []object{{"field": "tag", "operator": "equals", "value": "summer"}}},
	})
	table := report.Table{Title: "Lighthouse", Note: "Points of a hundred that Lighthouse 12 gives a shop's pages on a phone (its own profile, with a simulated network), 5 times each. 48 products with pictures; the cart holds one."}
	cart := w.bought(shop)
	for _, page := range []struct{ name, path, cookie string }{
		{"home", "/", ""}, {"collection", "/collections/summer", ""}, {"product", "/products/" + text(listed, "/data/0/handle"), ""}, {"cart", "/cart", cart},
	} {
		points := map[string]report.Samples{}
		for range looks {
			for class, n := range lighthouse(b, shop+page.path, page.cookie) {
				points[class] = append(points[class], n)
			}
		}
		for _, class := range classes {
			table.Rows = append(table.Rows, points[class].AtLeast(page.name+": "+strings.ReplaceAll(class, "-", " "), "%.0f", 95))
		}
	}
	report.Publish(b, "pages", []report.Table{table})
}

// picture uploads a picture that is no other's.
func (w *world) picture(path string, n int) {
	w.b.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 1200, 1500))
	for y := range 1500 {
		for x := range 1200 {
			picture.Set(x, y, color.RGBA{uint8(90 + n*5), uint8(y / 8), uint8(x / 6), 255})
		}
	}
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	part, err := parts.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="picture.jpg"`}, "Content-Type": {"image/jpeg"}})
	if err == nil {
		err = jpeg.Encode(part, picture, nil)
	}
	if err == nil {
		err = parts.Close()
	}
	if err != nil {
		w.b.Fatal(err)
	}
	request, err := http.NewRequestWithContext(w.b.Context(), http.MethodPost, w.URL+path, &form)
	if err != nil {
		w.b.Fatal(err)
	}
	request.Header.Set("Content-Type", parts.FormDataContentType())
	request.Header.Set("Authorization", "Bearer "+w.keys.Secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusCreated {
		w.b.Fatalf("%s: %s", path, response.Status)
	}
}

// bought puts something into a cart as a page's form does, and gives the cookie that opens it.
func (w *world) bought(shop string) string {
	w.b.Helper()
	listed := w.call("GET", "/v1/products?limit=1", w.keys.Secret, nil)
	form := url.Values{"variant": {text(listed, "/data/0/variants/0/id")}, "quantity": {"1"}}
	request, err := http.NewRequestWithContext(w.b.Context(), http.MethodPost, w.URL+"/cart/lines", strings.NewReader(form.Encode()))
	if err != nil {
		w.b.Fatal(err)
	}
	request.Host = strings.TrimPrefix(shop, "http://")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	for _, c := range response.Cookies() {
		return c.Name + "=" + c.Value
	}
	w.b.Fatalf("nothing was put into a cart: %s", response.Status)
	return ""
}

// lighthouse gives the points of a page.
func lighthouse(b *testing.B, address, cookie string) map[string]float64 {
	b.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		b.Fatalf("Chromium is not there (Debian: apt install chromium): %v", err)
	}
	args := []string{address, "--quiet", "--output=json", "--output-path=stdout", "--only-categories=" + strings.Join(classes, ","), "--chrome-flags=--headless=new --no-sandbox"}
	if cookie != "" {
		headers, err := json.Marshal(map[string]string{"Cookie": cookie})
		if err != nil {
			b.Fatal(err)
		}
		args = append(args, "--extra-headers="+string(headers))
	}
	var out []byte
	for tries := 1; ; tries++ {
		command := exec.CommandContext(b.Context(), "../../node_modules/.bin/lighthouse", args...)
		command.Env = append(os.Environ(), "CHROME_PATH="+chromium)
		var errors bytes.Buffer
		command.Stderr = &errors
		if out, err = command.Output(); err == nil {
			break
		}
		// Now and then Chromium's trace lacks its beginning (NO_NAVSTART), and there are no points at all.
		if tries == 3 {
			b.Fatalf("lighthouse (npm ci): %v: %s", err, errors.String())
		}
		b.Logf("lighthouse, try %d of 3: %s", tries, errors.String())
	}
	var found struct {
		Categories map[string]struct{ Score float64 }
	}
	if err := json.Unmarshal(out, &found); err != nil {
		b.Fatal(err)
	}
	points := map[string]float64{}
	for class, c := range found.Categories {
		points[class] = 100 * c.Score
	}
	return points
}
