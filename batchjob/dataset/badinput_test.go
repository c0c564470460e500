package dataset

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/supermax-hpo/supermax/shared/config"
)

// secret stands in the texts of every bad file and must never come out of an error.
const secret = "Marzipan"

func TestOpenNamesBadInput(t *testing.T) {
	red := func(changes map[string]string) map[string]string { return with(redsm5Files, changes) }
	ground := func(changes map[string]string) map[string]string { return with(groundtruthFiles, changes) }
	annotation := func(row string) map[string]string {
		return red(map[string]string{"annotations.csv": redsm5Files["annotations.csv"] + row + "\n"})
	}
	for name, c := range map[string]struct {
		files  map[string]string
		layout string
		want   string // after the folder's path
	}{
		"file missing":          {red(map[string]string{"annotations.csv": "-"}), RedSM5, ": the table annotations is missing; allowed: annotations.csv, annotations.jsonl, annotations.parquet"},
		"two files":             {red(map[string]string{"posts.jsonl": "{}"}), RedSM5, ": posts.csv and posts.jsonl are both there; keep one of them"},
		"extension":             {red(map[string]string{"posts.csv": "-", "posts.xlsx": "x"}), RedSM5, "/posts.xlsx: its extension is not supported; allowed: posts.csv, posts.jsonl, posts.parquet"},
		"empty file":            {red(map[string]string{"posts.csv": ""}), RedSM5, "/posts.csv: the file is empty; it needs the columns post_id, text"},
		"only a mark":           {red(map[string]string{"posts.csv": "\xef\xbb\xbf"}), RedSM5, "/posts.csv: the file is empty; it needs a header line"},
		"header only":           {red(map[string]string{"posts.csv": "post_id,text\n"}), RedSM5, "/posts.csv: it holds no rows; at least one is needed"},
		"no lines":              {ground(map[string]string{"posts.jsonl": "\n\n"}), Groundtruth, "/posts.jsonl: it holds no rows; at least one is needed"},
		"missing column":        {red(map[string]string{"posts.csv": "post_id,body\np1,Marzipan\n"}), RedSM5, "/posts.csv: the column text is missing; needed: post_id, text"},
		"missing columns":       {red(map[string]string{"posts.csv": "p1,Marzipan\n"}), RedSM5, "/posts.csv: the columns post_id, text are missing; needed: post_id, text"},
		"column twice":          {red(map[string]string{"posts.csv": "post_id,text,text\np1,Marzipan,b\n"}), RedSM5, "/posts.csv, column text: it is there twice; every column must be unique"},
		"missing key":           {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text":"a"}` + "\n" + `{"post_id":"p2"}`}), Groundtruth, "/posts.jsonl row 2 (line 2): the column text is missing; needed: post_id, text"},
		"key twice":             {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text":"a","text":"Marzipan"}`}), Groundtruth, "/posts.jsonl row 1 (line 1), column text: it is there twice; every key must be unique"},
		"not an object":         {ground(map[string]string{"posts.jsonl": "\n[1]\n"}), Groundtruth, `/posts.jsonl row 1 (line 2): it is not one JSON object; every line must be {"post_id": …, "text": …}`},
		"cut object":            {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text":"Marzipan`}), Groundtruth, "/posts.jsonl row 1 (line 1): it is not one JSON object"},
		"open object":           {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text":"Marzipan"`}), Groundtruth, "/posts.jsonl row 1 (line 1): it is not one JSON object"},
		"open key":              {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text`}), Groundtruth, "/posts.jsonl row 1 (line 1): it is not one JSON object"},
		"two objects":           {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text":"Marzipan"}{}`}), Groundtruth, "/posts.jsonl row 1 (line 1): it is not one JSON object"},
		"null":                  {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text":null}`}), Groundtruth, "/posts.jsonl row 1 (line 1), column text: it is neither a string nor a number"},
		"boolean":               {ground(map[string]string{"groundtruth.jsonl": `{"post_id":"p1","criterion_id":"mood","label":true}`}), Groundtruth, "/groundtruth.jsonl row 1 (line 1), column label: it is neither a string nor a number"},
		"half a surrogate":      {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text":"Marzipan \ud83d"}`}), Groundtruth, "/posts.jsonl row 1 (line 1), column text: it holds half of a surrogate pair"},
		"fields":                {red(map[string]string{"posts.csv": "post_id,text\np1,Marzipan, and more\n"}), RedSM5, "/posts.csv row 1 (line 2): it has another number of fields than the header; quote fields that hold commas"},
		"bare quote":            {red(map[string]string{"posts.csv": "post_id,text\np1,Marzipan \"x\"\n"}), RedSM5, "/posts.csv row 1 (line 2): a quote stands in an unquoted field; quote the field and write quotes in it twice"},
		"open quote":            {red(map[string]string{"posts.csv": "post_id,text\np1,\"Marzipan\np2,b\n"}), RedSM5, "/posts.csv row 1 (line 2): a quote is open"},
		"open header":           {red(map[string]string{"posts.csv": "\"post_id,text\np1,Marzipan\n"}), RedSM5, "/posts.csv: a quote is open"},
		"empty text":            {red(map[string]string{"posts.csv": "post_id,text\np1,a\np2, \n"}), RedSM5, "/posts.csv row 2 (line 3), column text: it is empty; every post needs a text"},
		"empty id":              {red(map[string]string{"posts.csv": "post_id,text\n,Marzipan\n"}), RedSM5, "/posts.csv row 1 (line 2), column post_id: it is empty; every row needs one"},
		"duplicate post":        {red(map[string]string{"posts.csv": "post_id,text\np1,\"Marzipan\nx\"\np1,b\n"}), RedSM5, `/posts.csv row 2 (line 4), column post_id: "p1" is the id of row 1 (line 2) already; every post_id must be unique`},
		"text as id, twice":     {red(map[string]string{"posts.csv": "post_id,text\nMarzipan is sweet,a\nMarzipan is sweet,b\n"}), RedSM5, "/posts.csv row 2 (line 3), column post_id: a value of 17 characters is the id of row 1 (line 2) already; every post_id must be unique"},
		"not UTF-8":             {red(map[string]string{"posts.csv": "post_id,text\np1,Marzipan\xe9\n"}), RedSM5, "/posts.csv row 1 (line 2), column text: it is not UTF-8; save the file in UTF-8"},
		"unused column":         {red(map[string]string{"posts.csv": "post_id,text,note\np1,Marzipan,\xe9\n"}), RedSM5, "/posts.csv row 1 (line 2), column note: it is not UTF-8; save the file in UTF-8"},
		"not UTF-8, lines":      {ground(map[string]string{"posts.jsonl": "{\"post_id\":\"p1\",\"text\":\"Marzipan\xe9\"}"}), Groundtruth, "/posts.jsonl row 1 (line 1): it is not UTF-8; save the file in UTF-8"},
		"NUL":                   {red(map[string]string{"posts.csv": "post_id,text\np1,Marzipan\x00\n"}), RedSM5, "/posts.csv row 1 (line 2), column text: it holds a NUL character; only text is allowed"},
		"NUL, lines":            {ground(map[string]string{"posts.jsonl": "{\"post_id\":\"p1\",\"text\":\"Marzipan\x00\"}"}), Groundtruth, "/posts.jsonl row 1 (line 1): it holds a NUL character; only text is allowed"},
		"NUL, escaped":          {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text":"Marzipan\u0000"}`}), Groundtruth, "/posts.jsonl row 1 (line 1), column text: it holds a NUL character; only text is allowed"},
		"huge":                  {red(map[string]string{"posts.csv": "post_id,text\np1," + strings.Repeat("Marzipan ", maxRecord/8) + "\n"}), RedSM5, "/posts.csv row 1: it is longer than 1048576 bytes; is a quote left open?"},
		"huge, barely":          {red(map[string]string{"posts.csv": "post_id,text\np1," + strings.Repeat("M", maxRecord+1) + "\n"}), RedSM5, "/posts.csv row 1 (line 2), column text: it has 1048577 bytes; at most 1048576 are allowed"},
		"huge, lines":           {ground(map[string]string{"posts.jsonl": `{"post_id":"p1","text":"` + strings.Repeat("Marzipan ", maxRecord/8) + `"}`}), Groundtruth, "/posts.jsonl row 1 (line 1): it has 1179674 bytes; at most 1048576 are allowed"}, // 131,072 · 9 + 26
		"status":                {annotation("p1,a,I cannot sleep.,ANHEDONIA,2,x"), RedSM5, `/annotations.csv row 5 (line 6), column status: "2" is not allowed; it must be 0 or 1`},
		"status is text":        {annotation("p1,a,I cannot sleep.,ANHEDONIA,Marzipan is sweet,x"), RedSM5, "/annotations.csv row 5 (line 6), column status: a value of 17 characters is not allowed; it must be 0 or 1"},
		"status is empty":       {annotation("p1,a,I cannot sleep.,ANHEDONIA,,x"), RedSM5, "/annotations.csv row 5 (line 6), column status: an empty value is not allowed; it must be 0 or 1"},
		"sentence without post": {annotation("p9,a,Marzipan.,ANHEDONIA,1,x"), RedSM5, `/annotations.csv row 5 (line 6), column post_id: "p9" is in no row of the posts table; every post_id must be one of its ids`},
		"no sentence":           {annotation("p1,z, ,ANHEDONIA,1,x"), RedSM5, "/annotations.csv row 5 (line 6), column sentence_text: it is empty; every sentence needs a text"},
		"another sentence":      {annotation("p1,a,Marzipan.,ANHEDONIA,1,x"), RedSM5, "/annotations.csv row 5 (line 6), column sentence_text: it differs from that of the same sentence_id in row 1 (line 2); a sentence_id must name one sentence of its post"},
		"contradiction":         {annotation("p1,a,I cannot sleep.,sleep_issues,0,x"), RedSM5, "/annotations.csv row 5 (line 6), column status: it contradicts row 1 (line 2), which judges the same sentence and symptom; keep one of them"},
		"unknown symptom":       {annotation("p1,a,I cannot sleep.,MOOD,0,x"), RedSM5, `/annotations.csv row 5 (line 6), column DSM5_symptom: "MOOD" is not a known criterion; allowed: depressed_mood, anhedonia, appetite_change, sleep_issues, psychomotor, fatigue, worthlessness, cognitive_issues, suicidal_thoughts (or add a criteria table: criterion_id, name, text)`},
		"label":                 {ground(map[string]string{"groundtruth.jsonl": `{"post_id":"p1","criterion_id":"mood","label":1.0}`}), Groundtruth, `/groundtruth.jsonl row 1 (line 1), column label: "1.0" is not allowed; it must be 0 or 1`},
		"label without post":    {ground(map[string]string{"groundtruth.jsonl": `{"post_id":"Marzipan is sweet","criterion_id":"mood","label":1}`}), Groundtruth, "/groundtruth.jsonl row 1 (line 1), column post_id: a value of 17 characters is in no row of the posts table; every post_id must be one of its ids"},
		"unknown criterion":     {ground(map[string]string{"groundtruth.jsonl": `{"post_id":"p1","criterion_id":"worry","label":1}`}), Groundtruth, `/groundtruth.jsonl row 1 (line 1), column criterion_id: "worry" is not a known criterion; allowed: mood, Sleep, other`},
		"label twice":           {ground(map[string]string{"groundtruth.jsonl": groundtruthFiles["groundtruth.jsonl"] + `{"post_id":"p2","criterion_id":"sleep","label":0}`}), Groundtruth, "/groundtruth.jsonl row 4 (line 4), column criterion_id: row 2 (line 2) labels this post and criterion already; every pair must be unique"},
		"evidence elsewhere":    {ground(map[string]string{"evidence.csv": "post_id,criterion_id,evidence_text\np2,sleep,Marzipan\n"}), Groundtruth, "/evidence.csv row 1 (line 2), column evidence_text: it occurs in no sentence of its post; it must be copied from the post's text (only white space may differ)"},
		"evidence in a word":    {ground(map[string]string{"evidence.csv": "post_id,criterion_id,evidence_text\np1,sleep,leep\n"}), Groundtruth, "/evidence.csv row 1 (line 2), column evidence_text: it occurs in no sentence"},
		"empty evidence":        {ground(map[string]string{"evidence.csv": "post_id,criterion_id,evidence_text\np1,sleep,.\n"}), Groundtruth, "/evidence.csv row 1 (line 2), column evidence_text: it occurs in no sentence"},
		"evidence without post": {ground(map[string]string{"evidence.csv": "post_id,criterion_id,evidence_text\np9,sleep,All\n"}), Groundtruth, `/evidence.csv row 1 (line 2), column post_id: "p9" is in no row of the posts table`},
		"evidence of nothing":   {ground(map[string]string{"evidence.csv": "post_id,criterion_id,evidence_text\np1,worry,All\n"}), Groundtruth, `/evidence.csv row 1 (line 2), column criterion_id: "worry" is not a known criterion`},
		"evidence, extension":   {ground(map[string]string{"evidence.csv": "-", "evidence.tsv": "x"}), Groundtruth, "/evidence.tsv: its extension is not supported"},
		"criterion twice":       {ground(map[string]string{"criteria.csv": "criterion_id,name,text\nmood,a,b\nMood,a,b\n"}), Groundtruth, `/criteria.csv row 2 (line 3), column criterion_id: "Mood" is there in row 1 (line 2) already; every criterion_id must be unique (upper and lower case count as the same)`},
		"criterion unworded":    {ground(map[string]string{"criteria.csv": "criterion_id,name,text\nmood,a,\n"}), Groundtruth, "/criteria.csv row 1 (line 2), column text: it is empty; every criterion needs its wording"},
		"criteria, columns":     {ground(map[string]string{"criteria.csv": "criterion_id\nmood\n"}), Groundtruth, "/criteria.csv: the columns name, text are missing; needed: criterion_id, name, text"},
		"Parquet's footer":      {red(map[string]string{"posts.csv": "-", "posts.parquet": "PAR1\xff\xff\xff\x7fPAR1"}), RedSM5, "/posts.parquet: it is not a Parquet file or is damaged: its footer is longer than the file"},
		"not Parquet":           {red(map[string]string{"posts.csv": "-", "posts.parquet": "Marzipan, not Parquet"}), RedSM5, "/posts.parquet: it is not a Parquet file or is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := write(t, c.files)
			_, err := Open(context.Background(), config.Corpus{Dir: dir, Layout: c.layout})
			checkInputError(t, err, dir+c.want)
		})
	}
}

// checkInputError wants an InputError whose sentence begins with want and holds no text.
func checkInputError(t *testing.T, err error, want string) {
	t.Helper()
	var input *InputError
	if !errors.As(err, &input) {
		t.Fatalf("got %v, want an InputError: %s", err, want)
	}
	if !strings.HasPrefix(input.Error(), want) {
		t.Errorf("got  %s\nwant %s", input, want)
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error repeats a text: %v", err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %v", err)
	}
}

func TestOpenRefusesFolderAsTable(t *testing.T) {
	dir := write(t, with(redsm5Files, map[string]string{"posts.csv": "-"}))
	if err := os.Mkdir(filepath.Join(dir, "posts.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Open(context.Background(), config.Corpus{Dir: dir, Layout: RedSM5})
	checkInputError(t, err, filepath.Join(dir, "posts.csv")+": it is not a regular file")
}

func TestOpenNamesDanglingLink(t *testing.T) {
	dir := write(t, with(redsm5Files, map[string]string{"posts.csv": "-"}))
	if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "posts.csv")); err != nil {
		t.Skip("no symbolic links here")
	}
	_, err := Open(context.Background(), config.Corpus{Dir: dir, Layout: RedSM5})
	checkInputError(t, err, filepath.Join(dir, "posts.csv")+": it cannot be read: no such file or directory")
}
