using System.Collections.Frozen;
using System.Text;

namespace Qualiz.Engine.Semantics;

/// <summary>
/// Words whose kind is known. Names of people are those of libpostal's dictionaries (MIT licence), one a line; the other lists are short enough to stand here.
/// </summary>
internal static class ReferenceWords
{
    private static readonly Lazy<FrozenSet<string>> Given = new(() => Read("given-names.txt"));
    private static readonly Lazy<FrozenSet<string>> Family = new(() => Read("surnames.txt"));

    public static FrozenSet<string> GivenNames => Given.Value;

    public static FrozenSet<string> Surnames => Family.Value;

    public static readonly FrozenSet<string> UsStates = Set(
        "alabama,alaska,arizona,arkansas,california,colorado,connecticut,delaware,florida,georgia,hawaii,idaho,illinois,indiana,iowa,kansas,kentucky,louisiana,maine,maryland,"
        + "massachusetts,michigan,minnesota,mississippi,missouri,montana,nebraska,nevada,new hampshire,new jersey,new mexico,new york,north carolina,north dakota,ohio,oklahoma,oregon,"
        + "pennsylvania,rhode island,south carolina,south dakota,tennessee,texas,utah,vermont,virginia,washington,west virginia,wisconsin,wyoming,district of columbia,puerto rico,"
        + "guam,american samoa,virgin islands,northern mariana islands");

    public static readonly FrozenSet<string> UsStateCodes = Set(
        "al,ak,az,ar,ca,co,ct,de,fl,ga,hi,id,il,in,ia,ks,ky,la,me,md,ma,mi,mn,ms,mo,mt,ne,nv,nh,nj,nm,ny,nc,nd,oh,ok,or,pa,ri,sc,sd,tn,tx,ut,vt,va,wa,wv,wi,wy,dc,pr,gu,as,vi,mp");

    public static readonly FrozenSet<string> Genders = Set("male,female,m,f,man,woman,men,women,boy,girl,other,unknown,non-binary,nonbinary,divers,diverse,männlich,weiblich,homme,femme,hombre,mujer,u,x");

    public static readonly FrozenSet<string> ClearGenders = Set("male,female,m,f,man,woman,männlich,weiblich,homme,femme,hombre,mujer");

    public static readonly FrozenSet<string> Yes = Set("yes,y,true,t,on,ja,oui,sí,si");

    public static readonly FrozenSet<string> No = Set("no,n,false,f,off,nein,non");

    /// <summary>Words for no value.</summary>
    public static readonly FrozenSet<string> Missing = Set("n/a,na,#n/a,nan,null,none,nil,missing,unknown,not available,not applicable,tbd,k.a.,s/o");

    public static readonly FrozenSet<string> Colours = Set(
        "black,white,red,green,blue,yellow,orange,purple,pink,brown,grey,gray,violet,cyan,magenta,maroon,navy,teal,olive,silver,gold,beige,turquoise,indigo,crimson,khaki,lime,aqua,fuchsia,tan,"
        + "coral,salmon,ivory,lavender,mauve,puce,goldenrod,aquamarine,schwarz,weiß,rot,grün,blau,gelb,noir,blanc,rouge,vert,bleu,jaune,negro,blanco,rojo,verde,azul,amarillo");

    public static readonly FrozenSet<string> Languages = Set(
        "aa,ab,af,ak,am,an,ar,as,av,ay,az,ba,be,bg,bh,bi,bm,bn,bo,br,bs,ca,ce,ch,co,cr,cs,cu,cv,cy,da,de,dv,dz,ee,el,en,eo,es,et,eu,fa,ff,fi,fj,fo,fr,fy,ga,gd,gl,gn,gu,gv,ha,he,hi,ho,hr,ht,hu,hy,"
        + "hz,ia,id,ie,ig,ii,ik,io,is,it,iu,ja,jv,ka,kg,ki,kj,kk,kl,km,kn,ko,kr,ks,ku,kv,kw,ky,la,lb,lg,li,ln,lo,lt,lu,lv,mg,mh,mi,mk,ml,mn,mr,ms,mt,my,na,nb,nd,ne,ng,nl,nn,no,nr,nv,ny,oc,oj,om,or,os,"
        + "pa,pi,pl,ps,pt,qu,rm,rn,ro,ru,rw,sa,sc,sd,se,sg,si,sk,sl,sm,sn,so,sq,sr,ss,st,su,sv,sw,ta,te,tg,th,ti,tk,tl,tn,to,tr,ts,tt,tw,ty,ug,uk,ur,uz,ve,vi,vo,wa,wo,xh,yi,yo,za,zh,zu,"
        + "arabic,bengali,bulgarian,catalan,chinese,croatian,czech,danish,dutch,english,estonian,finnish,french,german,greek,hebrew,hindi,hungarian,icelandic,indonesian,irish,italian,japanese,korean,"
        + "latin,latvian,lithuanian,malay,mandarin,norwegian,persian,polish,portuguese,punjabi,romanian,russian,serbian,slovak,slovenian,spanish,swahili,swedish,tamil,telugu,thai,turkish,ukrainian,urdu,"
        + "vietnamese,welsh,deutsch,français,español,italiano,português,nederlands,svenska,norsk,dansk,suomi");

    /// <summary>Words by which a line is recognised as a street.</summary>
    public static readonly FrozenSet<string> Streets = Set(
        "street,st,avenue,ave,av,road,rd,boulevard,blvd,drive,dr,lane,ln,way,court,ct,place,pl,square,sq,terrace,ter,highway,hwy,parkway,pkwy,circle,cir,trail,trl,route,rte,rt,crescent,cres,close,"
        + "alley,pike,plaza,loop,freeway,expressway,box,broadway,walk,row,parade,esplanade,grove,mews,rue,chemin,allée,impasse,quai,calle,avenida,plaza,carrer,via,viale,piazza,rua,strasse,straße,str,"
        + "weg,platz,allee,gasse,ring,ufer,damm,steig,gate,gata,gatan,vei,veien,vej,straat,laan,plein");

    /// <summary>Words by which a name is recognised as one of an organisation.</summary>
    public static readonly FrozenSet<string> Organisations = Set(
        "inc,incorporated,llc,llp,lp,ltd,limited,corp,corporation,co,company,companies,gmbh,ag,kg,ohg,ug,se,sa,sas,sarl,srl,spa,bv,nv,ab,as,asa,oy,oyj,aps,plc,pty,pte,group,holdings,holding,partners,"
        + "partnership,associates,association,enterprises,enterprise,industries,services,solutions,systems,technologies,technology,international,bank,bancorp,insurance,brewery,brewing,brewers,foundation,trust,"
        + "institute,university,college,hospital,clinic,management,consulting,construction,contractors,logistics,motors,airlines,airways,pharmaceuticals,laboratories,labs,energy,properties,realty,"
        + "communications,financial,capital,stores,store,market,restaurant,hotel,studio,studios,gallery,productions,agency,bros,works");

    private static FrozenSet<string> Set(string words) => words.Split(',').ToFrozenSet(StringComparer.Ordinal);

    private static FrozenSet<string> Read(string resource)
    {
        using var stream = typeof(ReferenceWords).Assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var words = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
            words.Add(line);
        return words.ToFrozenSet(StringComparer.Ordinal);
    }
}
