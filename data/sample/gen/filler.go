package main

// filler are sentences on everyday life that bear on no criterion. Some share words with
// the criteria, as real posts do.
var filler = []phrasing{
	"{I moved|We moved} to {a new flat|another town|a smaller place} {in March|last year|two weeks ago}",
	"{Work|The office|My job} has been {busy|quiet|the same as ever} {this week|this month|lately}",
	"My {boss|manager} {changed the plan|asked for a report|moved the deadline} {again|twice this week}",
	"{The bus|The train} was {late|slow|full} {again|this morning|as always}",
	"I {made|cooked} {soup|pasta|rice with vegetables} for {my flatmates|my sister|the whole week}",
	"{My cat|Our dog|The neighbour's cat} {sits next to me while I write this|has a new basket|had to see the vet yesterday}",
	"It {has been raining|rained|snowed} {all week|since Monday|the whole weekend}",
	"{My sister|My mother|A friend} {called|visited|sent a parcel} {on Sunday|last night|yesterday}",
	"I {started|finished|am halfway through} {a course in Spanish|a long novel|the third season}",
	"We {had dinner|ate pizza|had coffee} at {my aunt's place|the new place downtown|a friend's house}",
	"The {exam|interview|presentation} is {next week|on Thursday|in ten days}",
	"I {bought|sold|repaired} {a bike|an old table|a second-hand lamp} {last week|for little money|yesterday}",
	"{My phone|My laptop|The heating} {broke|died|stopped working} {on Tuesday|again|last night}",
	"{This is my first post here|Long time reader, first post|I have posted here before}, {so be kind|hello everyone|hi again}",
	"{Thanks for reading|Thank you for listening|Sorry for the long text}",
	"{Has anyone been there|Does anybody know this|What would you do|Is it just me}?",
	"I {see my therapist|have an appointment|meet my doctor} {on Friday|next month|every second week}",
	"{My parents|My grandparents} {sold the house|are on holiday|celebrate forty years together} {this month|this summer|this week}",
	"{The semester|School|The new term} {starts in a month|begins on Monday|ended last week}",
	"I {walk|take a walk|go out} {to the river|around the block|through the park} {in the evening|on Sundays|after lunch}",
	"I {wrote|am writing} this {on my phone|in a café|on the train}",
	"We {watched|talked about} {a film about whales|the match|an old series} {last night|on Saturday}",
	"{The neighbours|The people upstairs} {are building a shelf|play the piano|have visitors} {until late|again|since noon}",
	"My {brother|cousin|colleague} {got married|has a new job|passed the driving test} {in May|last week|recently}",
	"I {take|have} the {early shift|late shift|day off} {on Monday|this week|tomorrow}",
	"{The rent|The electricity bill|My insurance} {went up|is due|got more expensive} {again|this month|in April}",
	"I {wanted to|thought I would} {write this down|share my week|post an update} {before bed|today|while there is time}",
	"{The garden|The balcony} {needs water|is full of leaves|looks nice} {again|in this light|these days}",
	"I {do the laundry|clean the kitchen|water the plants} {on Saturdays|every morning|before work}",
	"{Someone|A stranger|The man at the till} {smiled at me|asked for directions|gave me the wrong change} {today|on the way home}",
	"{The weather|The view|The coffee} {is good|was nice|is better here} {at least|this time|}",
	"My {birthday|holiday} is {in two weeks|next month|coming up} and {we will visit the coast|nothing is planned|my aunt bakes}",
}

// vague are sentences that only go on about the one before; annotators mark both.
var vague = []phrasing{
	"It {gets worse|is getting worse} {every week|from day to day|and I cannot explain it}",
	"{This has gone on|It has been like this} {for two months|since autumn|for a while now}",
	"{Nobody|Not even my partner} {knows about it|has noticed it} yet",
	"I {hide it|do not talk about it} {at work|at home|in front of my friends}",
	"{It worries me|It frightens me|I do not know what to do about it}",
}
