package scale

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stoacommerce/stoa/internal/bench/report"
)

const (
	buyers  = 8 // at once, when the machine is asked for all that it can
	stretch = 8 * time.Second
	rounds  = 5
)

// A round is what one stretch of requests gave.
type round struct {
	took   report.Samples // milliseconds, from when each request was due
	failed int
	rate   float64 // requests a second
}

// load asks shops at random for a list of products, so many times a second, whether the
// former requests are answered or not.
func (w *town) load(ctx context.Context, rate float64, stretch time.Duration, shops []shop) round {
	ctx, stop := context.WithTimeout(ctx, stretch)
	defer stop()
	var r round
	var mu sync.Mutex
	var group sync.WaitGroup
	began := time.Now()
	for n := 0; ; n++ {
		due := began.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		select {
		case <-ctx.Done():
			group.Wait()
			r.rate = float64(len(r.took)) / time.Since(began).Seconds()
			return r
		case <-time.After(time.Until(due)):
		}
		group.Go(func() {
			err := w.list(context.WithoutCancel(ctx), shops[rand.IntN(len(shops))])
			took := report.Milliseconds(time.Since(due))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				r.failed++
				return
			}
			r.took = append(r.took, took)
		})
	}
}

// most is how many requests a second are answered when some ask without a pause.
func (w *town) most(b *testing.B, stretch time.Duration, shops []shop) float64 {
	b.Helper()
	ctx, stop := context.WithTimeout(b.Context(), stretch)
	defer stop()
	var group sync.WaitGroup
	var mu sync.Mutex
	answered := 0
	began := time.Now()
	for range buyers {
		group.Go(func() {
			for ctx.Err() == nil {
				if err := w.list(b.Context(), shops[rand.IntN(len(shops))]); err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				answered++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return float64(answered) / time.Since(began).Seconds()
}

// list asks a shop for its products.
func (w *town) list(ctx context.Context, s shop) error {
	_, err := w.ask(ctx, http.MethodGet, fmt.Sprintf("/v1/shop/products?limit=%d", perList), "", s.key, nil)
	return err
}

// traffic measures the time of a request, and the memory, with a hundredth, a tenth and
// all of the stores busy.
func traffic(b *testing.B, w *town) report.Table {
	b.Helper()
	counts := []int{max(len(w.shops)/100, 1), max(len(w.shops)/10, 1), len(w.shops)}
	memory, backends := map[int]float64{}, map[int]float64{}
	var capacity float64
	for _, count := range counts { // warm, each of a login's connections having met each of its stores
		rate := w.most(b, stretch+time.Duration(count)*25*time.Millisecond, w.shops[:count])
		if count == counts[0] {
			capacity = rate
		}
		memory[count], backends[count] = resident(b, w.PID()), w.backends(b)
	}
	p50, p99, ratios, rates := map[int]report.Samples{}, map[int]report.Samples{}, report.Samples{}, map[int]report.Samples{}
	for range rounds {
		for _, count := range counts {
			r := w.load(b.Context(), capacity/2, stretch, w.shops[:count])
			if r.failed > 0 {
				b.Fatalf("%d requests failed", r.failed)
			}
			p50[count], p99[count] = append(p50[count], r.took.Median()), append(p99[count], percentile(r.took, 99))
			rates[count] = append(rates[count], r.rate)
		}
		last := len(p99[counts[0]]) - 1
		ratios = append(ratios, p99[counts[2]][last]/p99[counts[0]][last])
	}
	var rows []report.Row
	for _, count := range counts {
		name := fmt.Sprintf("%d stores", count)
		rows = append(rows,
			p50[count].Row(name+": a list of 24 products, p50", "%.1f ms"), p99[count].Row(name+": a list of 24 products, p99", "%.1f ms"),
			report.Samples{memory[count]}.Row(name+": memory of the program", "%.0f MB"), report.Samples{backends[count]}.Row(name+": memory of Postgres's processes, what they share apart", "%.0f MB"),
		)
	}
	rows = append(rows, ratios.AtMost(fmt.Sprintf("p99 of %d stores to that of %d", counts[2], counts[0]), "%.2f", 1.5))
	return report.Table{Title: "Many stores at once", Rows: rows, Note: fmt.Sprintf("Requests over all stores at random, at %.0f a second: half of what %d stores answer when %d ask without a pause. "+
		"Times are from when a request was due. Rounds of %.0f s take turns.", capacity/2, counts[0], buyers, stretch.Seconds())}
}

// resident is the memory of a process in megabytes.
func resident(b *testing.B, pid int) float64 { return status(b, pid, "VmRSS") }

func status(b *testing.B, pid int, field string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0 // a process that has ended takes nothing
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, field+":"); found {
			kilobytes, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kilobytes / 1024
		}
	}
	return 0
}

// backends is the memory of Postgres's processes that is each one's own.
func (w *town) backends(b *testing.B) (sum float64) {
	b.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		b.Fatal(err)
	}
	parent := fmt.Sprintf("\nPPid:\t%d\n", w.server.PID())
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			b.Fatal(err)
		}
		sum += status(b, pid, "RssAnon")
	}
	return sum
}
