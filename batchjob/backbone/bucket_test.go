package backbone

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

// testdata/buckets.jsonl is what make_log_bucket_position of transformers 4.56.2 gives for every
// distance from a first one on.
func TestBuckets(t *testing.T) {
	f, err := os.Open("testdata/buckets.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	n := 0
	for lines.Scan() {
		var c struct {
			Buckets, Most, From int
			Places              []int
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Places {
			if got := bucket(c.From+i, c.Buckets, c.Most); got != want {
				t.Errorf("distance %d in %d buckets up to %d: got %d, want %d", c.From+i, c.Buckets, c.Most, got, want)
			}
			n++
		}
	}
	if err := lines.Err(); err != nil || n == 0 {
		t.Fatalf("compared %d distances: %v", n, err)
	}
}
