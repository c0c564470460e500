package dataset

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/supermax-hpo/supermax/shared/config"
)

// write makes a corpus folder of the given files.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func with(base map[string]string, changes map[string]string) map[string]string {
	files := map[string]string{}
	for k, v := range base {
		files[k] = v
	}
	for k, v := range changes {
		if v == "-" {
			delete(files, k)
		} else {
			files[k] = v
		}
	}
	return files
}

var redsm5Files = map[string]string{
	"posts.csv": "post_id,text\np1,\"I cannot sleep. The bus was late.\"\np2,All is well.\n",
	"annotations.csv": "post_id,sentence_id,sentence_text,DSM5_symptom,status,explanation\n" +
		"p1,a,I cannot sleep.,SLEEP_ISSUES,1,awake\n" +
		"p1,a,I cannot sleep.,FATIGUE,0,\n" +
		"p1,b,The bus was late.,SPECIAL_CASE,0,\n" +
		"p2,a,All is well.,SLEEP_ISSUES,0,\n",
}

var groundtruthFiles = map[string]string{
	"posts.jsonl":       "{\"post_id\":\"p1\",\"text\":\"I cannot\\n sleep. The bus was late.\"}\n\n{\"post_id\":\"p2\",\"text\":\"All is well.\"}\n",
	"groundtruth.jsonl": "{\"post_id\":\"p1\",\"criterion_id\":\"sleep\",\"label\":1}\n{\"post_id\":\"p2\",\"criterion_id\":\"sleep\",\"label\":\"0\"}\n{\"post_id\":\"p1\",\"criterion_id\":\"mood\",\"label\":0}\n",
	"evidence.csv":      "post_id,criterion_id,evidence_text\np1,sleep,sleep.\n",
	"criteria.csv":      "criterion_id,name,text\nmood,Mood,Low mood.\nSleep,Sleep,Poor sleep.\nother,Other,Not labelled.\n",
}

func TestOpenRedSM5(t *testing.T) {
	c, err := Open(context.Background(), config.Corpus{Dir: write(t, redsm5Files), Layout: RedSM5})
	if err != nil {
		t.Fatal(err)
	}
	wording := map[string]string{}
	for _, k := range Builtin() {
		wording[k.ID] = k.Text
	}
	pair := func(post, sentence, criterion, text string, label int) Example {
		task, id := Criteria, post+"/"+criterion
		if sentence != "" {
			task, id = Evidence, post+"/"+sentence+"/"+criterion
		}
		return Example{Task: task, ID: id, PostID: post, SentenceID: sentence, CriterionID: criterion, A: wording[criterion], B: text, Label: label}
	}
	both := "I cannot sleep. The bus was late."
	want := map[string][]Example{
		Criteria: {
			pair("p1", "", "sleep_issues", both, 1), pair("p1", "", "fatigue", both, 0),
			pair("p2", "", "sleep_issues", "All is well.", 0), pair("p2", "", "fatigue", "All is well.", 0),
		},
		Evidence: {
			pair("p1", "a", "sleep_issues", "I cannot sleep.", 1), pair("p1", "a", "fatigue", "I cannot sleep.", 0),
			pair("p1", "b", "sleep_issues", "The bus was late.", 0), pair("p1", "b", "fatigue", "The bus was late.", 0),
			pair("p2", "a", "sleep_issues", "All is well.", 0), pair("p2", "a", "fatigue", "All is well.", 0),
		},
	}
	want[Share] = slices.Concat(want[Criteria], want[Evidence])
	want[Joint] = want[Share]
	for agent, want := range want {
		got, err := c.Examples(agent)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", agent, d)
		}
	}
	if c.Posts() != 2 {
		t.Errorf("posts: got %d, want 2", c.Posts())
	}
}

func TestOpenGroundtruth(t *testing.T) {
	c, err := Open(context.Background(), config.Corpus{Dir: write(t, groundtruthFiles), Layout: Groundtruth})
	if err != nil {
		t.Fatal(err)
	}
	// "other" has no label and is left out; p2 was not judged for mood.
	if d := cmp.Diff([]Criterion{{"mood", "Mood", "Low mood."}, {"Sleep", "Sleep", "Poor sleep."}}, c.Criteria()); d != "" {
		t.Errorf("criteria (-want +got):\n%s", d)
	}
	type short struct {
		ID    string
		Label int
	}
	want := map[string][]short{
		Criteria: {{"p1/mood", 0}, {"p1/Sleep", 1}, {"p2/Sleep", 0}},
		// The line break after "cannot" ends a sentence.
		Evidence: {{"p1/s001/mood", 0}, {"p1/s001/Sleep", 0}, {"p1/s002/mood", 0}, {"p1/s002/Sleep", 1},
			{"p1/s003/mood", 0}, {"p1/s003/Sleep", 0}, {"p2/s001/Sleep", 0}},
	}
	for agent, want := range want {
		examples, err := c.Examples(agent)
		if err != nil {
			t.Fatal(err)
		}
		var got []short
		for _, e := range examples {
			got = append(got, short{e.ID, e.Label})
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", agent, d)
		}
	}
}

func TestOpenNarrows(t *testing.T) {
	dir := write(t, redsm5Files)
	whole, err := Open(context.Background(), config.Corpus{Dir: dir, Layout: RedSM5})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(context.Background(), config.Corpus{Dir: dir, Layout: RedSM5, Criteria: []string{"FATIGUE"}, MaxPosts: 1})
	if err != nil {
		t.Fatal(err)
	}
	examples, err := c.Examples(Evidence)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range examples {
		got = append(got, e.ID)
	}
	if d := cmp.Diff([]string{"p1/a/fatigue", "p1/b/fatigue"}, got); d != "" {
		t.Errorf("examples (-want +got):\n%s", d)
	}
	if c.Fingerprint() != whole.Fingerprint() {
		t.Error("the fingerprint depends on how the corpus was narrowed")
	}
}

func TestOpenRefusesOptions(t *testing.T) {
	dir := write(t, redsm5Files)
	for name, c := range map[string]struct {
		o    config.Corpus
		want string
	}{
		"layout":             {config.Corpus{Dir: dir, Layout: "xml"}, `layout "xml" is not known; allowed: groundtruth, redsm5`},
		"max posts":          {config.Corpus{Dir: dir, Layout: RedSM5, MaxPosts: -1}, "max_posts -1 is not allowed; it must be 0 (all posts) or more"},
		"unknown criterion":  {config.Corpus{Dir: dir, Layout: RedSM5, Criteria: []string{"mood"}}, `criterion "mood" is not one that the corpus labels; allowed: sleep_issues, fatigue`},
		"unlabelled":         {config.Corpus{Dir: dir, Layout: RedSM5, Criteria: []string{"anhedonia"}}, `criterion "anhedonia" is not one that the corpus labels`},
		"criterion twice":    {config.Corpus{Dir: dir, Layout: RedSM5, Criteria: []string{"fatigue", "Fatigue"}}, `criterion "Fatigue" is listed twice`},
		"no folder":          {config.Corpus{Dir: filepath.Join(dir, "none"), Layout: RedSM5}, "there is no such folder"},
		"a file as a folder": {config.Corpus{Dir: filepath.Join(dir, "posts.csv"), Layout: RedSM5}, "the folder cannot be read: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Open(context.Background(), c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	print := func(files map[string]string, layout string) string {
		c, err := Open(context.Background(), config.Corpus{Dir: write(t, files), Layout: layout})
		if err != nil {
			t.Fatal(err)
		}
		return c.Fingerprint()
	}
	base := print(groundtruthFiles, Groundtruth)
	if again := print(groundtruthFiles, Groundtruth); again != base || len(base) != 64 {
		t.Errorf("got %s in another folder, want %s of 64 digits", again, base)
	}
	if same := print(with(groundtruthFiles, map[string]string{"notes.txt": "not read"}), Groundtruth); same != base {
		t.Error("a file that is not read changes the fingerprint")
	}
	for name, content := range groundtruthFiles {
		if changed := print(with(groundtruthFiles, map[string]string{name: content + "\n"}), Groundtruth); changed == base {
			t.Errorf("%s does not enter the fingerprint", name)
		}
	}
}

func TestExamplesRefuses(t *testing.T) {
	c, err := Open(context.Background(), config.Corpus{Dir: write(t, with(groundtruthFiles, map[string]string{"evidence.csv": "-"})), Layout: Groundtruth})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Examples(Criteria); err != nil {
		t.Errorf("criteria without an evidence table: %v", err)
	}
	for _, agent := range []string{Evidence, Share, Joint} {
		_, err = c.Examples(agent)
		var input *InputError
		if !errors.As(err, &input) || !strings.Contains(err.Error(), "the table evidence is missing; allowed: evidence.csv, evidence.jsonl, evidence.parquet") {
			t.Errorf("%s: got %v, want the missing table", agent, err)
		}
	}
	if _, err := c.Examples("all"); err == nil || !strings.Contains(err.Error(), `agent "all" is not known; allowed: criteria, evidence, share, joint`) {
		t.Errorf("got %v, want the allowed agents", err)
	}
}

func TestOpenStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, config.Corpus{Dir: write(t, redsm5Files), Layout: RedSM5}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context canceled", err)
	}
}
