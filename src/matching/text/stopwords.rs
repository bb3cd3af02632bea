//! The small words that carry no matter, in the four languages, and the words every challenge uses.
//!
//! The first lists also tell a text's language. The last holds what public bodies write whatever
//! their need is about; such words say nothing about who shares it.

pub const DANISH: &str = "ad af aldrig alle allerede alt altid anden andet andre at bare begge blev \
blevet blive bliver burde bør da de dem den denne der deres det dette dig din disse dog du efter eller en end \
endnu enkelte enten er et få får fik flere for fordi foran fra før først gennem gør gøre ham han hans har \
havde have hele heller hen hende hendes her hos hun hvad hver hvert hvem hvilke hvilken hvis hvor hvordan hvorfor \
hvornår i ikke imellem ind inden ingen intet ja jeg jer jo kan kom komme kommer kun kunne \
lav lidt lige ligger man mange med meget mellem men mens mere mest mig min mindre mod må måske måtte ned nej noget nogen \
nogle nok nu når nær næsten og også om omkring op os over overfor på rundt samme samt selv selvom ses sidder sig sin sine sit \
siden sine skal skulle slet som stadig står så sådan således tage tager tidligere til to tre ud uden under undtagen \
var ved vi via vil ville vor vores været være å";

pub const NORWEGIAN: &str = "alle allerede alltid alt andre annen annet at av bare begge ble blei \
bli blir blitt bør da de deg dei dem den denne der deres det dette di din disse dit ditt du dykk eg ein eit eller \
en enn ennå er et ett etter flere for fordi foran fra få får før først gjennom gjør gjøre ha hadde han hans har hele \
heller henne hennes her hos hun hva hvem hver hvert hvilke hvilken hvis hvor hvordan hvorfor i ikke ikkje imellom ingen inn innen \
inntil ja jeg kan kom komme kommer kun kunne litt man mange med meg mellom men mens mer mest mi min mindre \
mitt mot mye må måtte nei ned noe noen nok nå når nær nesten og også om omkring opp oss over på rundt samme \
samt selv selvom seg si siden sin sine sitt skal skulle slik som står stadig så sånn ta tar til to tre \
um under ut uten var vart ved vi via vil ville vår våre vårt vært være å";

pub const SWEDISH: &str = "aldrig alla allt alltid andra annan annat att av bara be blev bli blir \
blivit borde båda både bör de dem den denna deras dess dessa det detta dig din dina dit ditt dock du där därför \
efter eftersom ej eller en enligt er era ert ett fler flera fram från före först får för förr genom gör göra \
ha hade han hans har hela hellre hennes henne hon honom hos hur här i icke igenom in inför ingen inget inom inte \
ja jag kan kom komma kommer kring kunde kunna lite man med medan mellan men mer mest mig min mina mindre mitt mot mycket \
många måste ned nej ni nog nu när nära någon något några och också om omkring oss på redan runt samma samt sedan sig sin sina \
sitt själv ska skall skulle som står så sådan ta tar till trots två tre under upp ur ut utan utanför vad var vara varför \
varit varje varken vem vi via vid vilka vilken vill ville vilket våra vår vårt än ännu är åt över";

pub const ENGLISH: &str = "a about above after again against all almost already also although always am an and \
another any are around as at be because been before being below between both but by can cannot could did do does \
doing down during each either else even ever every few for from further get gets give given go goes had has have having he her here hers \
him his how however i if in into is it its itself just keep least less like made make makes many may me might more most much must my \
near never no nor not now of off often on once one only or other our ours out over own per rather same she should since so some still such \
take takes than that the their them then there these they this those three through to too two under until up upon us use very was we well were what \
when where whether which while who whom whose why will with within without would yet you your";

/// What every challenge is full of, whatever it is about.
pub const COMMONPLACE: &str = "behov behove behøver behovet borger borgere borgeren borgerne borgernes brug bruge bruger brugere brugt bruges \
dag dage dagen dagligt dansk danske del dele eksempel finde finder findes gang gange god godt hjælp hjælpe hjælper hverdag hverdagen \
kommune kommunen kommuner kommunens kommunerne kommunernes krav kræver københavn løse løsning løsninger løsningen medarbejder \
medarbejdere medarbejderen medarbejderne medarbejdernes mulighed muligheder muligt mål måde mangler måned måneder måneden \
nye ny nyt opgave opgaver opgaven opleve oplever personale personalet problem problemer problemet procent \
projekt rundt region regionen sammen samlet sikre system systemer sted steder stor store stort større svært svar tid tiden tider \
time timer timerne uge ugen uger udfordring udfordringer ulempe vigtig vigtigt ønske ønsker år året årene årligt årlig arbejde arbejder arbejdet arbejdes \
bedre bruker brukere brukerne dager gangen gode godt hver hjelp hjelpe kommunene kommunens løsning løsninger medarbeidere ansatte \
ansatt behovet mulig muligheter nye oppgave oppgaver problemet timene tiden uke uker ønsker året krever arbeid arbeidet finnes \
invånare invånarna medborgare behov behovet behöver använda används använder dagar dagen gång gånger hjälp hjälpa kommun kommunen kommuner \
kommunens lösning lösningar medarbetare möjlighet möjligt nya nytt personal personalen problem problemet region regionen stor stora större \
svårt timmar tid tiden vecka veckan veckor året åren önskar arbete arbetar arbetet kräver finns \
day days employee employees find good help helping hour hours municipal municipality municipalities need needed needs new \
people possible problem problems region regional require requires service services solution solutions staff system systems time times want wants week weeks work working works \
year years year's today percent different better big large small first last long";
